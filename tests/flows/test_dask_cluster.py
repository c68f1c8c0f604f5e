"""What each Dask worker has to itself. Dask runs for real in `tests/faults/test_dask.py`."""

import pytest

from flows import dask_cluster
from flows.dask_cluster import worker_options
from planning.resources import Engine


def test_workers_without_gpus_divide_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "thread_count", lambda: 7)
    assert worker_options(Engine("dask", workers=3), 1) == {"env": {"OMP_NUM_THREADS": "2"}}
    assert worker_options(Engine("dask", workers=11), 1) == {"env": {"OMP_NUM_THREADS": "1"}}


@pytest.mark.parametrize(("visible", "expected"), [("", ["0", "1"]), ("3, 5,7", ["3", "5"]), ("GPU-a,GPU-b", None)])
def test_every_worker_has_a_gpu_of_its_own(
    visible: str, expected: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    options = [worker_options(Engine("dask", workers=2, gpus=2), number) for number in range(2)]
    assert [given["env"]["CUDA_VISIBLE_DEVICES"] for given in options] == (expected or visible.split(","))
    assert all(given["resources"] == {"GPU": 1} for given in options)
