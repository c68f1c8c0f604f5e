"""Add the disk space that a lot needs to the error of a full disk."""

from collections.abc import Iterator
from contextlib import contextmanager

from musc.plan.cost import ProjectedCost
from storage.disks import describe_space, is_full, readable_bytes
from storage.store import Store
from tasks.runtime.stage import StageFailedError


@contextmanager
def telling_need(plan: ProjectedCost, store: str) -> Iterator[None]:
    """Add the space needed to errors of a full disk raised in the `with` block.

    Args:
        plan: of the lot that is scored.
        store: where.

    Raises:
        StageFailedError: with the disk, what is free on it and what the lot needs, where it is full.
    """
    need = f"the lot needs {readable_bytes(plan.stored_bytes)} in all, of which some may be stored already"
    try:
        yield
    except StageFailedError as error:
        if not error.is_disk_full:
            raise
        told = StageFailedError(f"{error}; {need}")
        told.names, told.is_disk_full = error.names, True
        raise told from error
    except OSError as error:
        if not is_full(error):
            raise
        told = StageFailedError(f"{error}; {describe_space(Store(store))}; {need}")
        told.is_disk_full = True
        raise told from error
