"""What scoring a lot will cost, before any work: plain additions and products in bytes and operations."""

from collections.abc import Sequence
from dataclasses import dataclass

from musc.plan import FLOAT16_BYTES, FLOAT32_BYTES, Shard, shard_bytes


@dataclass(frozen=True)
class Forecast:
    """The cost of one lot."""

    image_count: int
    """N."""
    patch_count: int
    """P, per image."""
    width: int
    """C."""
    block_count: int
    """Extraction tasks."""
    shard_count: int
    """Scoring tasks."""
    peak_bytes: int
    """Host memory of the largest shard."""
    stored_bytes: int
    """Features, and patch scores of all shards, on disk."""
    operations: float
    """Multiplications and additions of mutual scoring."""


def forecast(
    image_count: int,
    patch_count: int,
    width: int,
    *,
    embedding_width: int,
    layer_count: int,
    block_count: int,
    shards: Sequence[Shard],
    lot_size: int,
    aggregated_copies: int = 0,
    thread_count: int = 1,
) -> Forecast:
    """Add up what the planned blocks and shards cost.

    Args:
        image_count: N.
        patch_count: P.
        width: C.
        embedding_width: D.
        layer_count: layers stored.
        block_count: extraction tasks.
        shards: all shards of the lot.
        lot_size: images scored against each other: N, or the size of the largest subset.
        aggregated_copies: degrees for which features after LNAMD are stored too.
        thread_count: threads that multiply at once.

    Returns:
        The cost; time is operations over the rate of the machine.
    """
    largest = max(shard.stop - shard.start for shard in shards)
    features = image_count * patch_count * width * FLOAT16_BYTES * layer_count
    class_tokens = image_count * embedding_width * FLOAT32_BYTES
    scores = sum(shard.stop - shard.start for shard in shards) * patch_count * FLOAT32_BYTES
    return Forecast(
        image_count,
        patch_count,
        width,
        block_count,
        len(shards),
        peak_bytes=shard_bytes(largest, lot_size, patch_count, width, thread_count),
        stored_bytes=features * (1 + aggregated_copies) + class_tokens + scores,
        operations=sum(shard_operations(shard.stop - shard.start, lot_size, patch_count, width) for shard in shards),
    )


def shard_operations(query_count: int, image_count: int, patch_count: int, width: int) -> float:
    """Operations of one shard: each pair inside the query block once, each pair with another image once per query.

    >>> shard_operations(3, 3, 10, 7) == 3 * 2 * 10**2 * 7
    True
    """
    inside = query_count * (query_count - 1) / 2
    outside = query_count * (image_count - query_count)
    return (inside + outside) * 2 * patch_count**2 * width
