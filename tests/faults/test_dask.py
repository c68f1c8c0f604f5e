"""Two Dask worker processes: the same scores as with threads, also when workers are killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage.store import Store
from storage.tables import read_table
from tests.dask_scheduler import DaskScheduler, own_scheduler
from tests.killing import complete, results

pytest.importorskip("distributed", reason="the extra dask is not installed")

DEGREES = (1, 3)
"""Two layers make two shards, each of both degrees."""


@pytest.fixture
def dask_scheduler(tmp_path: Path) -> Iterator[DaskScheduler]:
    with own_scheduler(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed_shards(score: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    found: dict[str, bytes] = results(score(tmp_path_factory.mktemp("threads") / "store", degrees=DEGREES))
    return found


@contextmanager
def two_workers() -> Iterator[str]:
    """The address of two workers, started as for two GPUs: their tasks take the resource GPU, of which each has one."""
    from flows.dask_cluster import cluster
    from planning.resources import Engine

    with cluster(Engine("dask", workers=2, gpus=2)) as running:
        assert running.dask_address
        yield running.dask_address


@pytest.fixture(scope="module")
def scheduler(prefect_server: str) -> Iterator[str]:
    with two_workers() as address:
        yield address


@pytest.fixture
def doomed(prefect_server: str) -> Iterator[tuple[str, Any]]:
    """A cluster of its own for a test that kills every worker, and a client: nobody needs its workers afterwards."""
    from distributed import Client

    with two_workers() as address, Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=200)
        yield address, client


@pytest.fixture
def client(scheduler: str) -> Iterator[Any]:
    """A client of the cluster; what a test changes in the workers is undone by new worker processes."""
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=200)
        yield client
        client.wait_for_workers(2, timeout=200)


def deadly(store: str, layer: int, deaths: int) -> None:
    """Make this worker die in the middle of writing a shard, unless that was the death of so many already."""
    from storage.results import patch_scores

    write_scores = patch_scores.write_scores

    def die(place: Any, path: str, cells: Any, attributes: dict[str, Any], *more: Any) -> None:
        write_scores(place, path, cells, attributes, *more)
        if place.url == store and attributes.get("layer") == layer:
            graves = Path(store).parent / "graves"
            graves.mkdir(exist_ok=True)
            if len(list(graves.iterdir())) < deaths:
                (graves / str(os.getpid())).touch()
                os.kill(os.getpid(), signal.SIGKILL)

    patch_scores.write_scores = die


def register(client: Any, store: Path, layer: int, deaths: int) -> Any:
    """Make the workers, and those that replace them, deadly for one shard; returns what undoes it."""
    import cloudpickle
    from distributed import WorkerPlugin

    class Deadly(WorkerPlugin):
        name = "deadly"

        def setup(self, worker: Any) -> None:
            deadly(str(store), layer, deaths)

    cloudpickle.register_pickle_by_value(__import__("sys").modules[__name__])
    client.register_plugin(Deadly())
    return lambda: client.unregister_worker_plugin("deadly")


def test_two_workers_give_the_scores_of_threads(
    client: Any, scheduler: str, score: Any, undisturbed_shards: dict[str, bytes], tmp_path: Path
) -> None:
    score(tmp_path, engine="dask", dask_address=scheduler, degrees=DEGREES)
    assert results(tmp_path) == undisturbed_shards

    def own() -> tuple[str, int]:
        from tasks.runtime.loaded_backbones import _load

        return os.environ["CUDA_VISIBLE_DEVICES"], _load.cache_info().misses

    gpus, loads = zip(*client.run(own).values(), strict=True)
    assert sorted(gpus) == ["0", "1"]
    assert max(loads) == 1, "a worker loads the model once"


def test_worker_killed_in_mid_shard_is_replaced(
    client: Any, scheduler: str, score: Any, undisturbed_shards: dict[str, bytes], tmp_path: Path
) -> None:
    store, pids = tmp_path / "store", set(client.run(os.getpid).values())
    undo = register(client, store, 1, deaths=1)
    try:
        score(store, engine="dask", dask_address=scheduler, degrees=DEGREES)
    finally:
        undo()
    (grave,) = (tmp_path / "graves").iterdir()
    assert int(grave.name) in pids
    assert list(store.glob("patch_scores/.partial-*")), "the kill must strike while the shard is being written"
    assert results(store) == undisturbed_shards


def test_shard_that_kills_every_worker_fails_alone(
    doomed: tuple[str, Any],
    score: Any,
    undisturbed_shards: dict[str, bytes],
    tmp_path: Path,
) -> None:
    from tasks.runtime.run_stage import StageFailedError

    store, (scheduler, client) = tmp_path / "store", doomed
    client.run_on_scheduler(set_allowed_failures, 0)
    register(client, store, 0, deaths=99)
    with pytest.raises(
        StageFailedError, match=r"score failed for 1 of 2 task runs.*layer 0 images.*every worker .* was killed"
    ):
        score(store, engine="dask", dask_address=scheduler, degrees=DEGREES)
    before = complete(store)
    assert len(complete(store, "patch_scores")) == 1
    assert not (store / "runs").exists()
    score(store, degrees=DEGREES)
    assert before.items() <= complete(store).items()
    assert results(store) == undisturbed_shards


def test_benchmark_on_two_workers_gives_the_metrics_of_threads(
    client: Any, scheduler: str, lot: Path, prefect_server: str, tmp_path: Path
) -> None:
    from tests.flat import benchmark

    method = {"backbone": ("texture",), "image_size": 64, "layers": (0, 1), "degrees": (1,), "block_images": 16}
    root, tables = str(lot.parent.parent), {}
    for engine, address in (("threads", None), ("dask", scheduler)):
        store = Store(str(tmp_path / engine))
        done = benchmark("folder", root, store.url, **method, engine=engine, dask_address=address)
        tables[engine] = read_table(store, done.benchmark)
    pd.testing.assert_frame_equal(tables["dask"], tables["threads"])


def test_fresh_scheduler_imports_nothing_heavy_of_prefect_tasks(
    dask_scheduler: DaskScheduler, prefect_server: str, score: Any, undisturbed_shards: dict[str, bytes], tmp_path: Path
) -> None:
    dask_scheduler.add_worker()
    score(tmp_path / "store", engine="dask", dask_address=dask_scheduler.address, degrees=DEGREES)
    assert dask_scheduler.heavy_modules() == set()
    assert results(tmp_path / "store") == undisturbed_shards


def set_allowed_failures(count: int, dask_scheduler: Any) -> None:
    """How many of its workers may die before a task is given up."""
    dask_scheduler.allowed_failures = count
