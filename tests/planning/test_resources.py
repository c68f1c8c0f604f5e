"""What engine a user gets, and what each worker has to itself."""

from typing import Any

import pytest

from planning import resources
from planning.resources import Engine, Resources, choose_engine


@pytest.mark.parametrize(
    ("asked", "gpus", "cores", "expected"),
    [
        ({}, 0, 7, Engine()),
        ({"engine": "inline"}, 0, 7, Engine("inline")),
        ({"engine": "dask"}, 0, 7, Engine("dask", workers=3)),
        ({"engine": "dask"}, 0, 1, Engine("dask", workers=1)),
        ({"engine": "dask", "workers": 5}, 0, 7, Engine("dask", workers=5)),
        ({"workers": 5}, 0, 7, Engine("dask", workers=5)),
        ({"dask_address": "tcp://a:1"}, 0, 7, Engine("dask", "tcp://a:1")),
        ({"engine": "dask"}, 4, 7, Engine("dask", workers=4, gpus=4)),
        ({"engine": "dask", "workers": 2}, 4, 7, Engine("dask", workers=2, gpus=2)),
        ({"engine": "dask", "dask_address": "tcp://a:1"}, 0, 7, Engine("dask", "tcp://a:1")),
        ({"engine": "dask", "dask_address": "tcp://a:1", "workers": 2}, 0, 7, Engine("dask", "tcp://a:1", workers=2)),
    ],
)
def test_engine_is_completed(asked: dict[str, Any], gpus: int, cores: int, expected: Engine) -> None:
    assert choose_engine(Resources(**asked), gpu_count=gpus, cores=cores) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"engine": "ray"}, "engine must be 'inline', 'threads' or 'dask', got 'ray'"),
        ({"engine": "threads", "workers": 2}, "workers must go with the engine dask, got threads; leave out one"),
        ({"engine": "inline", "dask_address": "tcp://a:1"}, "dask_address must go with the engine dask, got inline"),
        ({"engine": "dask", "workers": 0}, "workers must be greater than or equal to 1, got 0"),
        ({"engine": "dask", "workers": 5}, "at most 4, the GPUs of this machine, got 5"),
        ({"engine": "dask", "device": "cuda:1"}, "device must be auto, cpu or cuda with the engine dask, got 'cuda:1'"),
    ],
)
def test_engine_is_refused_by_name(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_engine(Resources(**asked), gpu_count=4, cores=7)


def test_dask_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'musc-pipeline\[dask\]'"):
        choose_engine(Resources(engine="dask"), gpu_count=0, cores=7)


@pytest.mark.parametrize(("engine", "sharing"), [(Engine(), 1), (Engine("dask", workers=3), 3)])
def test_workers_without_gpus_share_the_machine(engine: Engine, sharing: int) -> None:
    assert engine.sharing == sharing
    assert Engine("dask", workers=3, gpus=3).sharing == 1


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512),
        ("512B", 512),
        ("7kB", 7_000),
        ("7KiB", 7_168),
        ("3MB", 3_000_000),
        ("8GB", 8_000_000_000),
        ("8gb", 8_000_000_000),
        (" 1.5 GiB ", 1_610_612_736),
        (4096, 4096),
    ],
)
def test_memory_is_read_as_people_write_it(text: str | int, size: int) -> None:
    assert Resources(memory=text).memory == size


@pytest.mark.parametrize("text", ["", "B", "GB", "plenty", "-8GB", "0", "8GBB", "infGB", "nan", "8,5GB"])
def test_memory_that_is_no_positive_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="memory must be"):
        Resources(memory=text)
