"""A sample of references for very large lots: every image is scored against M others, so the cost is N · M, not N²."""

import hashlib
from collections.abc import Sequence

from musc.option_ranges import require_reference_count


def draw_sample(contents: Sequence[str], count: int | None, seed: int) -> tuple[int, ...] | None:
    """Draw the references that all images of a lot share.

    One image more than asked for is drawn: an image of the sample is scored against the others, an image outside it
    leaves out the last one, so that every image has exactly M references and none is its own. The draw depends on the
    images' contents and the seed alone, not on names or their order.

    Args:
        contents: SHA-256 of every image of the lot.
        count: M, references of each image; None is all others.
        seed: which sample.

    Returns:
        M + 1 positions in the order drawn; None where M reaches all other images, which is the full method.

    Raises:
        ValueError: if `count` is not positive.
    """
    if count is None:
        return None
    require_reference_count(count)
    if count >= len(contents) - 1:
        return None
    ranks = [hashlib.sha256(f"{seed} {content}".encode()).hexdigest() for content in contents]
    return tuple(sorted(range(len(contents)), key=ranks.__getitem__)[: count + 1])


def sample_size(image_count: int, count: int | None) -> int:
    """Images that serve as references: M + 1 of the lot, or all.

    >>> sample_size(100, 10), sample_size(100, 99), sample_size(100, None)
    (11, 100, 100)
    """
    return image_count if count is None else min(image_count, count + 1)
