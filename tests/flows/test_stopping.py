"""A run that is told to stop ends soon, and what it has finished is kept: a real server, a real worker."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.datasets.synthetic.lot import draw_part, save_png
from tests.flows.real_server import POOL, RealServer, end, real_server, wait_for
from tests.forking import ForkServer
from tests.test_units import stop_command

pytestmark = pytest.mark.timeout(1200)

SECONDS = 20.0
SCORE = "score-lot/score-lot"
WORKER = "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"


@pytest.fixture(scope="module")
def server(
    new_database: Path, prefect_forks: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    with real_server(tmp_path_factory.mktemp("home"), new_database, prefect_forks) as running:
        running.musc("deploy")
        yield running


@pytest.fixture
def parameters(tmp_path: Path) -> dict[str, Any]:
    """A lot whose blocks take minutes each."""
    (tmp_path / "lot").mkdir()
    picture, _ = draw_part("cast", None, seed=1, number=0, size=512)
    save_png(picture, tmp_path / "lot" / "000.png")
    drawn = (tmp_path / "lot" / "000.png").read_bytes()
    for number in range(1, 400):
        (tmp_path / "lot" / f"{number:03d}.png").write_bytes(drawn + number.to_bytes(4, "big"))
    settings = {"backbone": "texture", "image_size": 512}
    return {"folder": str(tmp_path / "lot"), "output": str(tmp_path / "out"), "lot": "many", "settings": settings}


def begun(server: RealServer, flow_run: str) -> int:
    """The process of a run, once a task of it is running."""

    def running() -> int | None:
        states = {"state": {"type": {"any_": ["RUNNING"]}}}
        tasks = server.post("task_runs/filter", flow_runs={"id": {"any_": [flow_run]}}, task_runs=states)
        pid = server.get(f"flow_runs/{flow_run}")["infrastructure_pid"]
        return (
            int(pid.rpartition(":")[2]) if pid and any(task["name"].startswith("extract") for task in tasks) else None
        )

    return wait_for("extraction", running)


def gone(pid: int) -> bool | None:
    return None if Path(f"/proc/{pid}").exists() else True


def test_cancelled_run_and_stopped_worker_end_within_seconds(server: RealServer, parameters: dict[str, Any]) -> None:
    worker = server.start("worker", *WORKER)
    try:
        cancelled = server.trigger(SCORE, **parameters)
        pid = begun(server, cancelled)
        asked = time.monotonic()
        server.post(f"flow_runs/{cancelled}/set_state", state={"type": "CANCELLING"})
        assert server.ended(cancelled)["state_type"] == "CANCELLED"
        wait_for("end of the cancelled run's process", lambda: gone(pid))
        assert time.monotonic() - asked < SECONDS

        stopped = server.trigger(SCORE, **parameters)
        pid = begun(server, stopped)
        asked = time.monotonic()
        known = {**server.environment, "MAINPID": str(worker.pid)}
        subprocess.run(stop_command(), env=known, timeout=60, check=True)
        worker.send_signal(signal.SIGTERM)
        assert server.ended(stopped)["state_type"] == "CRASHED"
        wait_for("end of the stopped run's process", lambda: gone(pid))
        worker.wait(SECONDS)
        assert time.monotonic() - asked < SECONDS
    except subprocess.TimeoutExpired:
        pytest.fail("the worker has not ended")
    finally:
        end(worker)
