"""The devices of this machine that a run uses, by the names of the limits that keep each to one run."""

import os
import platform
import re

from musc.backbones.devices import device_type
from planning.resources import Engine

PREFIX = "musc"
CPU = "cpu"
LOOPBACK = re.compile(r"//(127\.|localhost\b|\[?::1\b)")
"""In the address of a scheduler whose workers are on this machine."""
IN_A_POD = "KUBERNETES_SERVICE_HOST"
"""The variable that every pod has."""


class DeviceBusyError(RuntimeError):
    """Other runs held a device for as long as this one would wait."""


def limit_names(device: str, engine: Engine) -> tuple[str, ...]:
    """The limits of all devices that the tasks of a run use on this machine.

    None where Dask's workers are elsewhere, whose scheduler gives a GPU to one task at a time, and none in a pod, as
    Kubernetes gives a GPU to one pod and a pod's name is a new one for each run.

    Args:
        device: as the user names it.
        engine: where the tasks run.

    Returns:
        Such as `musc-plant7-cuda-0`, one for each device.
    """
    elsewhere = engine.dask_address is not None and not LOOPBACK.search(engine.dask_address)
    if elsewhere or os.environ.get(IN_A_POD):
        return ()
    return tuple(limit_name(used) for used in used_devices(device, engine.gpus))


def limit_name(device: str) -> str:
    """The name of the limit of one device of this machine.

    >>> limit_name("cuda-0").removeprefix(f"musc-{platform.node()}")
    '-cuda-0'
    """
    return f"{PREFIX}-{platform.node()}-{device}"


def is_kept_to_one(name: str) -> bool:
    """Whether the limit is made where it is missing: of every device but the CPU, which runs may share."""
    return not name.endswith(f"-{CPU}")


def used_devices(device: str, gpus: int) -> list[str]:
    """The devices of this machine as any process on it would name them, whatever GPUs it sees itself.

    Args:
        device: as the user names it.
        gpus: how many Dask workers have a GPU each; 0 if this process computes.
    """
    kind = device_type(device)
    if kind != "cuda":
        return [kind]
    index = device.partition(":")[2]
    numbers = range(gpus) if gpus else [int(index or 0)]
    seen = visible_gpus(max(numbers) + 1)
    return [gpu_name(seen[number]) for number in numbers if number < len(seen)]


def gpu_name(seen: str) -> str:
    """A GPU as the driver numbers it, or by its identity where `CUDA_VISIBLE_DEVICES` has that.

    >>> gpu_name("1"), gpu_name("GPU-8932f937"), gpu_name("MIG-GPU-8932f937/1/0")
    ('cuda-1', 'gpu-8932f937', 'mig-gpu-8932f937-1-0')
    """
    return f"cuda-{seen}" if seen.isdecimal() else re.sub(r"[^a-z0-9]+", "-", seen.lower())


def visible_gpus(count: int) -> list[str]:
    """How CUDA names the GPUs this process may use."""
    names = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return (names or [str(number) for number in range(count)])[:count]
