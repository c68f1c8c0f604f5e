"""How a lot is divided into blocks and shards: plain arithmetic in images and bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

from musc.grids import PRODUCT_COLUMNS, rounded_up, row_bands
from musc.layers import Grid
from musc.plan.layer_comparison import LayerComparison

CHUNK_IMAGES = 8
"""Images in one storage chunk; features are read and aggregated this many at a time."""
BLOCK_IMAGES = 64
"""Images extracted by one task unless the lot is very large."""
MAX_BLOCKS = 256
"""Beyond this many blocks of one lot, blocks grow instead: each task run costs its server about 50 ms."""

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


@dataclass(frozen=True)
class Shard:
    """One unit of mutual scoring: query images [start, stop) at one layer, at all degrees."""

    layer: int
    start: int
    stop: int


def plan_blocks(image_count: int, block_images: int | None = None) -> list[tuple[int, int]]:
    """Divide a lot into blocks [start, stop) that are whole numbers of storage chunks, the last one excepted.

    Args:
        image_count: N.
        block_images: images per block, a multiple of `CHUNK_IMAGES`; None is `BLOCK_IMAGES`, or more for large lots.

    Raises:
        ValueError: if `block_images` is not a positive multiple of the chunk.

    >>> plan_blocks(72)
    [(0, 64), (64, 72)]
    """
    if block_images is None:
        block_images = max(BLOCK_IMAGES, rounded_up(ceil(image_count / MAX_BLOCKS), CHUNK_IMAGES))
    if block_images < 1 or block_images % CHUNK_IMAGES:
        raise ValueError(
            f"block_images must be a positive multiple of the storage chunk of {CHUNK_IMAGES} images, "
            f"got {block_images}; use for example {max(1, round(block_images / CHUNK_IMAGES)) * CHUNK_IMAGES}"
        )
    return [(start, min(start + block_images, image_count)) for start in range(0, image_count, block_images)]


def plan_subsets(image_count: int, subset_count: int) -> list[tuple[int, int]]:
    """Divide a lot into equal parts [first, last) that are scored each by itself, as the paper does with large lots.

    Raises:
        ValueError: if a part would hold fewer than two images.

    >>> plan_subsets(7, 3)
    [(0, 3), (3, 5), (5, 7)]
    """
    if subset_count < 1 or (subset_count > 1 and image_count < 2 * subset_count):
        raise ValueError(
            f"subsets must be a positive count that leaves at least 2 images in each, got {subset_count} for "
            f"{image_count} images; use at most {max(1, image_count // 2)}"
        )
    each, more = divmod(image_count, subset_count)
    bounds = [each * part + min(part, more) for part in range(subset_count + 1)]
    return list(pairwise(bounds))


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
        (PRODUCT_COPIES + masked * MASKED_COPIES) * product + box_bytes(patch_count, pooled_degrees)
    )
    masks = masked * (reference_count * patch_count + 2 * patch_count**2)
    ranking = 3 * reference_count * patch_count * FLOAT32_BYTES  # one query's similarities while they are ranked
    scores = 3 * degree_count * query_count * patch_count * FLOAT32_BYTES  # one by one, then stacked, then summed
    return queries + scales + similarities + chunk + products + masks + ranking + scores


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

    >>> megabytes(1_444_001, ceil), megabytes(1_444_001, floor), megabytes(1000, floor)
    ('1.45', '1.44', '0.001')
    """
    return f"{rounded(size / 1e4) / 100:,.2f}" if size >= 1e4 else f"{size / 1e6:.3g}"
