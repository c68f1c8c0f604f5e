"""How many images are stored, extracted and scored together: chunks, blocks, and subsets of a benchmark."""

from itertools import pairwise
from math import ceil

from musc.grids import rounded_up

CHUNK_IMAGES = 8
"""Images in one storage chunk; features are read and aggregated this many at a time."""

BLOCK_IMAGES = 64
"""Images extracted by one task unless the lot is very large."""

MAX_BLOCKS = 256
"""Beyond this many blocks of one lot, blocks grow instead: each task run costs its server about 50 ms."""


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
