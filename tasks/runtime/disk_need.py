"""Add the disk space that a lot needs to the error of a full disk."""

from collections.abc import Iterator
from contextlib import contextmanager

from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from musc.plan.cost import ProjectedCost
from storage.disk_space import describe_space, is_full, readable_bytes
from storage.store import Store
from tasks.runtime.run_stage import StageFailedError

UNIT_BYTES = 4096
"""In which most file systems give space, to a folder as to a file."""
SHARD_ENTRIES, RUN_ENTRIES = 10, 40
"""Files and folders of a shard, and of all else that a lot leaves."""
PAGE_BYTES, PICTURE_BYTES, PICTURES = 60_000, 12_000, 80
"""Of the report, without and with each of its pictures, of which there are at most so many."""


def needed_bytes(plan: ProjectedCost) -> int:
    """About what a lot takes on its disk: its numbers, the report, and what is lost by files ending within a unit."""
    array_count = plan.block_count * (len(plan.layers) + 1)
    chunk_count = (len(plan.layers) + 1) * -(-plan.image_count // CHUNK_IMAGES)
    entries = 4 * plan.block_count + 3 * (array_count + chunk_count) + SHARD_ENTRIES * plan.shard_count + RUN_ENTRIES
    return plan.stored_bytes + entries * UNIT_BYTES + PAGE_BYTES + PICTURE_BYTES * min(plan.image_count, PICTURES)


@contextmanager
def explaining_full_disk(plan: ProjectedCost, store: str) -> Iterator[None]:
    """Add the space needed to errors of a full disk raised in the `with` block.

    Args:
        plan: of the lot that is scored.

    Raises:
        StageFailedError: with the disk, what is free on it and what the lot needs, where it is full.
    """
    need = f"the lot needs about {readable_bytes(needed_bytes(plan))} in all, of which some may be stored already"
    try:
        yield
    except StageFailedError as error:
        if not error.is_disk_full:
            raise
        explained = StageFailedError(f"{error}; {need}")
        explained.names, explained.is_disk_full = error.names, True
        raise explained from error
    except OSError as error:
        if not is_full(error):
            raise
        explained = StageFailedError(f"{error}; {describe_space(Store(store))}; {need}")
        explained.is_disk_full = True
        raise explained from error
