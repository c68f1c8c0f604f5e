"""The memory that a shard takes, by addition, and how many query images fit in what is given."""

from collections.abc import Callable

from musc.grids import PRODUCT_COLUMNS, SUMMED_CHANNELS, SUMMED_ROWS, row_bands
from musc.layers import Grid
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from musc.plan.layer_comparison import LayerComparison

FLOAT16_BYTES = 2

FLOAT32_BYTES = 4

STORED_COPIES = 5
"""Float16 copies of a chunk alive while the next one is read ahead: itself, the one before, and of the next one the
rows, the stored chunk they are picked from and its bytes."""

LNAMD_COPIES = 5
"""Float32 copies of a chunk alive while it is aggregated: tokens, normalised, pooled, result, and the chunk before."""

PRODUCT_COPIES = 1
"""Products a thread holds at once, in memory that it uses again and again."""

MASKED_COPIES = 2
"""Further ones where some patches may not be matched: without those of the reference, and of the query."""


def largest_query_count(
    image_count: int, reference_count: int, comparison: LayerComparison, memory_bytes: int, thread_count: int = 1
) -> int:
    """Query images of one shard that fit the budget, at most the whole lot; 0 if none does."""
    fixed = comparison_bytes(0, reference_count, comparison, thread_count)
    each = comparison_bytes(1, reference_count, comparison, thread_count) - fixed
    return max(0, min(image_count, (memory_bytes - fixed) // each))


def comparison_bytes(query_count: int, reference_count: int, comparison: LayerComparison, thread_count: int = 1) -> int:
    """Peak bytes of one shard that compares a layer; see `shard_bytes`."""
    layer = comparison.layer
    how = thread_count, comparison.masked, comparison.pooled_degrees
    return shard_bytes(query_count, reference_count, layer.patch_count, layer.width, *how)


def shard_bytes(
    query_count: int,
    reference_count: int,
    patch_count: int,
    width: int,
    thread_count: int = 1,
    masked: bool = False,
    pooled_degrees: tuple[int, ...] = (),
) -> int:
    """Peak bytes of one shard, by addition.

    Query features stay in float32, their similarities to every reference are kept until the interval mean, one chunk of
    references at a time is aggregated while the next one is read, and each thread multiplies one query with a few
    references at a time. Where some patches may not be matched, a thread holds copies of it, and all share a mask.
    Degrees are scored one after the other, and their scores summed; those that are pooled, at once.
    """
    degree_count = max(1, len(pooled_degrees))
    tokens = patch_count * width
    queries = query_count * tokens * FLOAT32_BYTES
    scales = len(pooled_degrees) * (query_count + 2 * CHUNK_IMAGES) * patch_count * FLOAT32_BYTES
    similarities = degree_count * query_count * reference_count * patch_count * FLOAT32_BYTES
    chunk = CHUNK_IMAGES * tokens * (STORED_COPIES * FLOAT16_BYTES + LNAMD_COPIES * FLOAT32_BYTES)
    product = patch_count * max(patch_count, PRODUCT_COLUMNS) * FLOAT32_BYTES
    products = thread_count * (
        (PRODUCT_COPIES + masked * MASKED_COPIES) * product
        + part_bytes(patch_count, width)
        + box_bytes(patch_count, pooled_degrees)
    )
    masks = masked * (reference_count * patch_count + 2 * patch_count**2)
    ranking = 3 * reference_count * patch_count * FLOAT32_BYTES  # one query's similarities while they are ranked
    scores = 3 * degree_count * query_count * patch_count * FLOAT32_BYTES  # one by one, then stacked, then summed
    return queries + scales + similarities + chunk + products + masks + ranking + scores


def part_bytes(patch_count: int, width: int) -> int:
    """What a thread needs beside a product to make it: references as oneDNN takes them, and what it returns.

    That is memory of its own, beside the product into which it is copied or summed, or beside the product before it.
    """
    columns = max(patch_count, PRODUCT_COLUMNS)
    references = (1 + (width > SUMMED_CHANNELS)) * columns * min(width, SUMMED_CHANNELS)
    return (references + min(patch_count, SUMMED_ROWS) * columns) * FLOAT32_BYTES


def box_bytes(patch_count: int, degrees: tuple[int, ...]) -> int:
    """What a thread needs beside a product to sum it over neighbourhoods, at most (`musc.kernels.box_sums`).

    A plane of reference patches is longest if they lie in one column, its margins if they lie in one row.
    """
    if not degrees:
        return 0
    reach = max(degrees) // 2
    plane = patch_count * (1 + reach)
    margins = 2 * reach * (patch_count + reach + 1)
    planes = 4 + len(degrees) * (2 * reach + 1)
    return (planes * (plane + margins) + (2 + 2 * len(degrees)) * plane) * FLOAT32_BYTES


def pair_products(grid: Grid, match_radius: int | None) -> int:
    """Similarities computed for a pair of images: P², or within a match radius those of bands, masked ones included."""
    if match_radius is None:
        return (grid[0] * grid[1]) ** 2
    return sum((stop - start) * (high - low) * grid[1] ** 2 for start, stop, low, high in row_bands(grid, match_radius))


def megabytes(size: int, rounded: Callable[[float], int]) -> str:
    """Bytes as MB, rounded up or down at two digits, so that too little never reads like enough.

    >>> from math import ceil, floor
    >>> megabytes(1_444_001, ceil), megabytes(1_444_001, floor), megabytes(1000, floor)
    ('1.45', '1.44', '0.001')
    """
    return f"{rounded(size / 1e4) / 100:,.2f}" if size >= 1e4 else f"{size / 1e6:.3g}"
