"""Dask workers without Prefect: the scores of one process, a light scheduler, and what is said if that is lost."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import dask_cluster
from flows.dask_cluster import connected
from flows.dask_runner import DaskRunner
from planning.resources import Engine
from storage.datasets.synthetic.lot import write_lot
from tasks.runtime.lost_workers import describe_error
from tests.dask_scheduler import DaskScheduler, own_scheduler
from tests.killing import results

pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dask_scheduler(tmp_path: Path) -> Iterator[DaskScheduler]:
    with own_scheduler(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dask") / "lot"
    write_lot(folder, good_count=7, defective_count=1)
    return folder / "test"


def score(lot: Path, store: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", "-m", "cli", "score", str(lot), "--output", str(store)]
    small = ("--backbone", "texture", "--image-size", "64", "--degrees", "1")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.run(
        [*command, *small, *options], cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )


def test_two_workers_without_prefect_give_the_bytes_of_one_process(lot: Path, tmp_path: Path) -> None:
    done = score(lot, tmp_path / "dask", "--engine", "dask", "--workers", "2")
    assert done.returncode == 0, done.stderr[-2000:]
    assert score(lot, tmp_path / "inline", "--engine", "inline").returncode == 0
    assert results(tmp_path / "dask") == results(tmp_path / "inline")
    assert "runs by Dask workers, without a server" in done.stderr
    assert "| prefect\n" not in done.stderr


def test_fresh_scheduler_serves_the_first_run_and_imports_nothing_heavy(
    dask_scheduler: DaskScheduler, lot: Path, tmp_path: Path
) -> None:
    dask_scheduler.add_worker()
    done = score(lot, tmp_path / "out", "--dask-address", dask_scheduler.address)
    assert done.returncode == 0, done.stderr[-2000:]
    assert dask_scheduler.heavy_modules() == set()


def take_long(spec: object) -> None:
    time.sleep(60)


def test_scheduler_that_is_lost_is_said_in_one_sentence(dask_scheduler: DaskScheduler) -> None:
    dask_scheduler.add_worker()
    with connected(Engine("dask", dask_scheduler.address)) as (client, resources):
        one = type("OneSpec", (), {"key": "a"})()
        killed = threading.Timer(5, dask_scheduler.processes[0].kill)
        killed.start()
        ((_, error),) = DaskRunner(client, resources).outcomes("score", take_long, [one], {"a": False})
    assert describe_error(error) == "the connection to Dask's scheduler was lost; see its log, and start it again"


def test_address_without_a_scheduler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(
            ConnectionError, match=r"dask_address must be that of a running scheduler, got tcp://127.0.0.1:9,"
        ),
        connected(Engine("dask", "tcp://127.0.0.1:9")),
    ):
        pass


def test_scheduler_without_workers_is_refused(dask_scheduler: DaskScheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "WORKER_SECONDS", 1)
    with (
        pytest.raises(ConnectionError, match=r"dask_address must be that of a scheduler with workers, got tcp://"),
        connected(Engine("dask", dask_scheduler.address)),
    ):
        pass
