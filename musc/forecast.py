"""What scoring a lot will cost, before any work: plain additions and products in bytes and operations."""

from collections.abc import Sequence
from dataclasses import dataclass

from musc.plan import FLOAT16_BYTES, FLOAT32_BYTES, Grid, Shard, pair_products, shard_bytes
from musc.sample import sample_size


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
    reference_count: int
    """References of each image."""


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
    reference_count: int | None = None,
    earlier_count: int = 0,
    masked: bool = False,
    window: int | None = None,
    grid: Grid | None = None,
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
        reference_count: M, references of each image in its lot, a sample; None is all others.
        earlier_count: references from earlier lots.
        masked: whether some patches may not be matched: those beyond a window, or excluded ones.
        window: W, patches within which patches are matched; None is everywhere.
        grid: patch rows and columns; needed with a window.

    Returns:
        The cost; time is operations over the rate of the machine.
    """
    largest = max(shard.stop - shard.start for shard in shards)
    features = image_count * patch_count * width * FLOAT16_BYTES * layer_count
    class_tokens = image_count * embedding_width * FLOAT32_BYTES
    scores = sum(shard.stop - shard.start for shard in shards) * patch_count * FLOAT32_BYTES
    sampled = sample_size(lot_size, reference_count)
    references = sampled + earlier_count
    products = pair_products(grid, window) if grid else patch_count**2
    return Forecast(
        image_count,
        patch_count,
        width,
        block_count,
        len(shards),
        peak_bytes=shard_bytes(largest, references, patch_count, width, thread_count, masked),
        stored_bytes=features * (1 + aggregated_copies) + class_tokens + scores,
        operations=sum(
            shard_operations(
                shard.stop - shard.start,
                lot_size,
                patch_count,
                width,
                sampled=sampled,
                earlier_count=earlier_count,
                products=products,
            )
            for shard in shards
        ),
        reference_count=references - 1,
    )


def shard_operations(
    query_count: int,
    image_count: int,
    patch_count: int,
    width: int,
    *,
    sampled: int | None = None,
    earlier_count: int = 0,
    products: int | None = None,
) -> float:
    """Operations of one shard: each pair inside the query block once, each pair with another image once per query.

    Args:
        query_count: n, images of the shard.
        image_count: N, images of the lot.
        patch_count: P.
        width: C.
        sampled: images of the lot that serve as references, in this shard as many as elsewhere; None is all.
        earlier_count: references from earlier lots.
        products: similarities computed for a pair of images; None is P².

    >>> shard_operations(3, 3, 10, 7) == 3 * 2 * 10**2 * 7
    True
    """
    sampled = image_count if sampled is None else sampled
    inside = query_count * sampled / image_count
    once = inside * (inside - 1) / 2 + (query_count - inside) * inside
    outside = query_count * (sampled - inside + earlier_count)
    return (once + outside) * 2 * (patch_count**2 if products is None else products) * width
