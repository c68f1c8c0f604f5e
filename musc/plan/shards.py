"""How the comparisons of a lot are divided into shards that fit the memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from musc.plan.layer_comparison import LayerComparison
from musc.plan.shard_memory import comparison_bytes, largest_query_count, megabytes


@dataclass(frozen=True)
class Shard:
    """One unit of mutual scoring: query images [start, stop) at one layer, at all degrees."""

    layer: int
    start: int
    stop: int


def plan_shards(
    image_count: int,
    comparisons: Sequence[LayerComparison],
    *,
    memory_bytes: int,
    thread_count: int = 1,
    reference_count: int | None = None,
) -> list[Shard]:
    """Divide mutual scoring so that each shard fits the memory budget.

    One shard per layer where the whole lot fits, which multiplies each unordered pair of images once; otherwise equal
    query blocks, each against references streamed from the store.

    Args:
        image_count: N.
        comparisons: of the layers to score, each divided by itself.
        memory_bytes: budget of one shard.
        thread_count: threads that multiply at once.
        reference_count: R, images that serve as references, of this lot and of earlier ones; None is the lot.

    Raises:
        MemoryError: if not even one query image fits; names the bytes needed and given.
    """
    references = image_count if reference_count is None else reference_count
    return [
        Shard(comparison.layer.number, *bound)
        for comparison in comparisons
        for bound in query_bounds(image_count, references, comparison, memory_bytes, thread_count)
    ]


def query_bounds(
    image_count: int, references: int, comparison: LayerComparison, memory_bytes: int, thread_count: int
) -> list[tuple[int, int]]:
    """Equal query blocks [start, stop) of one layer, as few as the memory allows.

    Raises:
        MemoryError: see `plan_shards`.
    """
    most = largest_query_count(image_count, references, comparison, memory_bytes, thread_count)
    if most < 1:
        patch_count, width = comparison.layer.patch_count, comparison.layer.width
        needed = comparison_bytes(1, references, comparison, thread_count)
        raise MemoryError(
            f"memory must hold at least one query image and the distances to {references} references, each of "
            f"{patch_count} patches of width {width}: {megabytes(needed, ceil)} MB are needed, "
            f"{megabytes(memory_bytes, floor)} MB given; raise --memory, or lower --image-size"
        )
    query_count = ceil(image_count / ceil(image_count / most))
    return [(start, min(start + query_count, image_count)) for start in range(0, image_count, query_count)]
