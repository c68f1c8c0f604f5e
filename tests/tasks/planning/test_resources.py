"""What engine a user gets, and what each worker has to itself."""

from typing import Any

import pytest
import torch

from tasks.planning import resources as engines
from tasks.planning.resources import Engine, chosen_engine

GIVEN: dict[str, Any] = {"dask_address": None, "workers": None, "device": "auto", "kind": "cpu", "core_count": 7}


@pytest.mark.parametrize(
    ("name", "changes", "gpu_count", "expected"),
    [
        ("threads", {}, 0, Engine()),
        ("dask", {}, 0, Engine("dask", workers=3)),
        ("dask", {"core_count": 1}, 0, Engine("dask", workers=1)),
        ("dask", {"workers": 5}, 0, Engine("dask", workers=5)),
        ("dask", {"kind": "cuda"}, 4, Engine("dask", workers=4, gpus=4)),
        ("dask", {"kind": "cuda", "workers": 2}, 4, Engine("dask", workers=2, gpus=2)),
        ("dask", {"device": "cpu"}, 4, Engine("dask", workers=3)),
        ("dask", {"dask_address": "tcp://a:1"}, 0, Engine("dask", "tcp://a:1")),
        ("dask", {"dask_address": "tcp://a:1", "workers": 2}, 0, Engine("dask", "tcp://a:1", workers=2)),
    ],
)
def test_engine_is_completed(
    name: str, changes: dict[str, Any], gpu_count: int, expected: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpu_count)
    assert chosen_engine(name, **{**GIVEN, **changes}) == expected


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("ray", {}, "engine must be inline, threads or dask, got 'ray'"),
        ("threads", {"workers": 2}, "workers must go with the engine dask, got 2 with threads; add --engine dask"),
        ("threads", {"dask_address": "tcp://a:1"}, "dask_address must go with the engine dask"),
        ("dask", {"workers": 0}, "workers must be at least 1, got 0"),
        ("dask", {"workers": 5, "kind": "cuda"}, "at most 4, the GPUs of this machine, got 5"),
        ("dask", {"device": "cuda:1"}, "device must be auto, cpu or cuda with the engine dask, got 'cuda:1'"),
    ],
)
def test_engine_is_refused_by_name(
    name: str, changes: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    with pytest.raises(ValueError, match=message):
        chosen_engine(name, **{**GIVEN, **changes})


def test_dask_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'musc-pipeline\[dask\]'"):
        chosen_engine("dask", **GIVEN)


@pytest.mark.parametrize(("engine", "sharing"), [(Engine(), 1), (Engine("dask", workers=3), 3)])
def test_workers_without_gpus_share_the_machine(engine: Engine, sharing: int) -> None:
    assert engine.sharing == sharing
    assert Engine("dask", workers=3, gpus=3).sharing == 1
