"""What scoring a lot will cost, before any work: plain additions and products in bytes and operations."""

from collections.abc import Sequence
from dataclasses import dataclass

from musc.layers import Layer
from musc.plan.layer_comparison import LayerComparison
from musc.plan.pooling import pair_operations
from musc.plan.sample import sample_size
from musc.plan.shard_memory import FLOAT16_BYTES, FLOAT32_BYTES, comparison_bytes
from musc.plan.shards import Shard


@dataclass(frozen=True)
class ProjectedCost:
    """The cost of one lot."""

    image_count: int
    """N."""
    comparisons: tuple[LayerComparison, ...]
    """Of the layers."""
    block_count: int
    """Extraction tasks."""
    shard_count: int
    """Scoring tasks."""
    peak_bytes: int
    """Host memory of the largest shard."""
    stored_bytes: int
    """Features, and patch scores of all shards, on disk."""
    layer_operations: tuple[float, ...]
    """Operations of mutual scoring, layer by layer, as `musc.plan.pooling.pair_operations` counts them."""
    layer_reads: tuple[float, ...]
    """Images whose features are read and aggregated, layer by layer: queries, and references beside them."""
    reference_count: int
    """References of each image."""
    tiles: int = 1
    """Of each photograph; N and all counts are then of tiles."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Each with its P and C."""
        return tuple(comparison.layer for comparison in self.comparisons)

    @property
    def operations(self) -> float:
        """Multiplications and additions of all layers."""
        return sum(self.layer_operations)


def lot_cost(
    image_count: int,
    comparisons: Sequence[LayerComparison],
    *,
    embedding_width: int,
    block_count: int,
    shards: Sequence[Shard],
    lot_size: int,
    aggregated_copies: int = 0,
    thread_count: int = 1,
    reference_count: int | None = None,
    earlier_count: float = 0,
) -> ProjectedCost:
    """Add up what the planned blocks and shards cost.

    Args:
        image_count: N.
        comparisons: of the layers that are stored and scored.
        embedding_width: D.
        block_count: extraction tasks.
        shards: all shards of the lot.
        lot_size: images scored against each other: N, or the size of the largest subset.
        aggregated_copies: degrees for which features after LNAMD are stored too, in float32.
        thread_count: threads that multiply at once.
        reference_count: M, references of each image in its lot, a sample; None is all others.
        earlier_count: references from earlier lots, or of the next tiles; a mean where they differ, for operations.

    Returns:
        The cost; time is operations over the rate of the machine.
    """
    sampled = sample_size(lot_size, reference_count)
    references = sampled + round(earlier_count)
    peak_bytes, stored_bytes = 0, image_count * embedding_width * FLOAT32_BYTES
    layer_operations, layer_reads = [], []
    for comparison in comparisons:
        layer = comparison.layer
        patch_count, width = layer.patch_count, layer.width
        query_counts = [shard.stop - shard.start for shard in shards if shard.layer == layer.number]
        peak_bytes = max(peak_bytes, comparison_bytes(max(query_counts), references, comparison, thread_count))
        stored_bytes += image_count * patch_count * width * (FLOAT16_BYTES + FLOAT32_BYTES * aggregated_copies)
        stored_bytes += sum(query_counts) * patch_count * FLOAT32_BYTES
        pairs = sum(pair_count(count, lot_size, sampled, earlier_count) for count in query_counts)
        layer_operations.append(pairs * pair_operations(comparison))
        beside = sum(sampled - count * sampled / lot_size + earlier_count for count in query_counts)
        layer_reads.append(sum(query_counts) + beside)
    return ProjectedCost(
        image_count,
        tuple(comparisons),
        block_count,
        len(shards),
        peak_bytes=peak_bytes,
        stored_bytes=stored_bytes,
        layer_operations=tuple(layer_operations),
        layer_reads=tuple(layer_reads),
        reference_count=references - 1,
    )


def pair_count(query_count: int, image_count: int, sampled: int, earlier_count: float = 0) -> float:
    """Pairs of images that a shard multiplies: those inside the query block once, those with others once per query.

    Args:
        query_count: n, images of the shard.
        image_count: N, images of the lot.
        sampled: images of the lot that serve as references, in this shard as many as elsewhere.
        earlier_count: references from earlier lots.

    >>> pair_count(3, 3, 3), pair_count(3, 6, 6), pair_count(3, 3, 3, earlier_count=2)
    (3.0, 12.0, 9.0)
    """
    inside = query_count * sampled / image_count
    once = inside * (inside - 1) / 2 + (query_count - inside) * inside
    return once + query_count * (sampled - inside + earlier_count)
