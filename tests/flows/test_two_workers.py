"""Two workers and one store, in a shared folder or on S3: nights at once of different products and of the same one."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from reports.run_record import read_record
from storage.datasets.synthetic.lot import draw_part, save_png
from storage.results.runs import Run
from storage.store import Store
from tests.flows.pasted import MANY_MACHINES, commands
from tests.flows.real_server import POOL, RealServer, end, real_server, wait_for
from tests.forking import ForkServer

pytestmark = pytest.mark.timeout(1800)

NIGHT = "nightly-lots/nightly-lots"
SMALL = {"settings": {"backbone": "texture", "image_size": 64, "layers": [0], "degrees": [1]}}
SOON_SECONDS = 8
WORKER = ("prefect", "worker", "start", "--pool", POOL, "--type", "process", "--limit", "1", "--name")


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lots each of two products."""
    root = tmp_path_factory.mktemp("lots")
    for seed, folder in enumerate(("bolt/2026-11-20", "bolt/2026-11-21", "nut/2026-11-20", "nut/2026-11-21")):
        for number in range(7):
            picture, _ = draw_part("cast", "stain" if number > 4 else None, seed=seed, number=number, size=64)
            save_png(picture, root / folder / f"{number:03d}.png")
    return root


@pytest.fixture(scope="module")
def server(
    new_database: Path, prefect_forks: ForkServer, s3_bucket: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    """A server with the deployments, one of a product by itself as the page has it, and two workers."""
    with ExitStack() as ends:
        running = ends.enter_context(real_server(tmp_path_factory.mktemp("home"), new_database, prefect_forks))
        running.musc("deploy")
        (line,) = commands("One store", 1, MANY_MACHINES)
        running.prefect(*shlex.split(line.removeprefix("prefect --no-prompt ")))
        named = running.get("deployments/name/nightly-lots/nightly-bolt")
        night = running.get(f"deployments/name/{NIGHT}")
        variable = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
        assert named["job_variables"]["env"][variable] == night["job_variables"]["env"][variable]
        assert named["parameters"]["category"] == "bolt"
        assert named["flow_id"] == night["flow_id"], "by which messages know a night"
        for name in ("first", "second"):
            ends.callback(end, running.start(name, "-m", *WORKER, name))
        wait_for("workers", lambda: len(running.post(f"work_pools/{POOL}/workers/filter")) == 2 or None)
        yield running


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_nights_at_once_lose_and_double_nothing(
    server: RealServer, lots: Path, kind: str, s3_bucket: str, tmp_path: Path
) -> None:
    store = str(tmp_path) if kind == "folder" else f"{s3_bucket}/{uuid4().hex}"
    given = {"root": str(lots), "output": store, **SMALL}
    # All lots, oldest first, and beside it those of one product, which both nights meet. A worker takes a run some
    # seconds before its time and waits for it, so both begin together.
    soon = (datetime.now(UTC) + timedelta(seconds=SOON_SECONDS)).isoformat()
    asked = [server.trigger(night, soon, **given) for night in (NIGHT, "nightly-lots/nightly-bolt")]
    nights = [server.ended(night) for night in asked]
    assert [night["state_type"] for night in nights] == ["COMPLETED", "COMPLETED"], [one["state"] for one in nights]
    assert nights[0]["start_time"] < nights[1]["end_time"]
    assert nights[1]["start_time"] < nights[0]["end_time"]
    scored = [[run["name"] for run in server.below(night)] for night in asked]
    assert set(scored[1]) <= {"score bolt-2026-11-20", "score bolt-2026-11-21"}
    assert {"score nut-2026-11-20", "score nut-2026-11-21"} <= set(scored[0])

    opened = Store(store)
    runs = sorted({name.partition("/")[0] for name in opened.sizes("runs")})
    assert [run.rpartition("-")[0] for run in runs] == [f"{p}-2026-11-{d}" for p in ("bolt", "nut") for d in (20, 21)]
    for name in runs:
        run = Run(opened, f"runs/{name}")
        assert len(run.scores()) == 7
        assert read_record(run).job.store.rstrip("/") == store
    again = server.ended(server.trigger(NIGHT, **given))
    assert server.below(again["id"]) == []
