"""What this machine offers."""

import os
from pathlib import Path

import torch

CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


def host_memory_bytes() -> int:
    """Memory this process may use: that of the machine or of its container, whichever is smaller."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [Path(name).read_text().strip() for name in CGROUP_LIMITS if Path(name).is_file()]
    return min([installed, *(int(limit) for limit in limits if limit.isdecimal())])


def memory_bytes(device: torch.device) -> int:
    """Memory that scoring on a device may use: a GPU's own, else the host's."""
    return int(torch.cuda.mem_get_info(device)[1]) if device.type == "cuda" else host_memory_bytes()


def parse_bytes(text: str) -> int:
    """A number of bytes as people write it.

    Raises:
        ValueError: if it is no positive size.

    >>> parse_bytes("8GB"), parse_bytes("1.5 GiB")
    (8000000000, 1610612736)
    """
    letters = text.strip().upper().removesuffix("B")
    number = letters.rstrip("KMGTI")
    unit = letters[len(number) :]
    try:
        size = int(float(number) * UNITS[unit])
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise ValueError(
            f"memory must be a positive size such as 8GB or 512MiB, got {text!r}; give a number and a unit"
        )
    return size
