"""The device and the threads that torch will use, known without loading torch where the machine shows them."""

import os
import sys
from glob import glob
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

GPU_FILES = ("/dev/nvidia*", "/dev/nvhost*", "/dev/dxg", "/dev/kfd")
"""Device files of GPUs that torch calls `cuda`: Nvidia's, those of its boards and of Windows' subsystem, and AMD's."""


def device_type(device: str) -> str:
    """The kind of device a user's word means, such as `cpu` or `cuda`; `auto` is a GPU where there is one.

    Raises:
        ValueError: if the word names no device this machine has.
    """
    if device == "cpu" or (device == "auto" and not may_have_gpu()):
        return "cpu"
    return choose_device(device).type


def may_have_gpu() -> bool:
    """Whether torch has to be asked for GPUs; without any device file it would find none."""
    return not sys.platform.startswith("linux") or any(map(glob, GPU_FILES))


def choose_device(device: str) -> "torch.device":
    """The torch device a user's word means; `auto` is the first GPU where there is one.

    Raises:
        ValueError: if the word names no device this machine has.
    """
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch_device = torch.device(device)
        torch.empty(0, device=torch_device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device must name a device of this machine, got {device!r} ({error}); use 'auto' or 'cpu'"
        ) from error
    return torch_device


def thread_count() -> int:
    """Threads that torch will compute with on a CPU, or a few more: as its variables say, else the cores it may use."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        value = os.environ.get(variable, "").partition(",")[0]
        if value.isdecimal() and int(value) > 0:
            return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
