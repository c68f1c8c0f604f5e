"""Which limits a run asks for."""

import platform

import pytest

from flows.devices import names
from flows.devices.names import limit_names
from planning.resources import Engine

HOST = platform.node()


@pytest.fixture(autouse=True)
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with GPUs, none of them hidden, and no pod."""
    monkeypatch.setattr(names, "device_type", lambda device: "cpu" if device == "cpu" else "cuda")
    for variable in ("CUDA_VISIBLE_DEVICES", names.IN_A_POD):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("device", "seen", "engine", "expected"),
    [
        ("auto", None, Engine(), ["cuda-0"]),
        ("cuda:1", None, Engine(), ["cuda-1"]),
        ("cuda", "3", Engine(), ["cuda-3"]),
        ("cuda:1", "4,6", Engine(), ["cuda-6"]),
        ("auto", "GPU-8932F937-d72c", Engine(), ["gpu-8932f937-d72c"]),
        ("auto", None, Engine("dask", workers=2, gpus=2), ["cuda-0", "cuda-1"]),
        ("auto", "5,7", Engine("dask", "tcp://127.0.0.1:4711", workers=2, gpus=2), ["cuda-5", "cuda-7"]),
        ("auto", None, Engine("dask", "tcp://10.0.0.5:8786"), []),
        ("cpu", None, Engine(), ["cpu"]),
    ],
)
def test_limits_are_those_of_the_devices_as_the_whole_machine_numbers_them(
    device: str, seen: str | None, engine: Engine, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    assert limit_names(device, engine) == tuple(f"musc-{HOST}-{name}" for name in expected)


def test_pod_asks_for_no_limit_as_its_name_is_new_for_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(names.IN_A_POD, "10.0.0.1")
    assert limit_names("cuda", Engine()) == ()
