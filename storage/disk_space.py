"""Full disks: which disk a store lies on, and how much of it is free."""

import errno
import shutil
from pathlib import Path

from storage.store import Store, nearest_existing

FULL = {errno.ENOSPC, errno.EDQUOT}
"""Errors of a disk, or of an account's part of it, that has no room left."""


def is_full(error: BaseException) -> bool:
    """Whether something could not be written for want of room, by the error itself or what it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "errno", None) in FULL:
            return True
        cause = cause.__cause__
    return False


def describe_space(store: Store) -> str:
    """The disk of a local store and what is free on it; empty for other stores."""
    if not store.is_local:
        return ""
    (place,) = nearest_existing(store)
    usage = shutil.disk_usage(place)
    path = Path(place).resolve()
    mount = next(folder for folder in (path, *path.parents) if folder.is_mount())
    free = f"{readable_bytes(usage.free)} of {readable_bytes(usage.total)}"
    return f"the disk at {mount}, on which {store.url} lies, has {free} free"


def readable_bytes(size: int) -> str:
    """A size as people read it.

    >>> readable_bytes(1_234_567)
    '1.2 MB'
    >>> readable_bytes(45_600_000_000)
    '45.6 GB'
    >>> readable_bytes(40_000)
    '40.0 kB'
    """
    for unit, each in (("GB", 1e9), ("MB", 1e6)):
        if size >= each:
            return f"{size / each:,.1f} {unit}"
    return f"{size / 1e3:.1f} kB"
