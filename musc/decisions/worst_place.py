"""Where an image is looked at more closely: in the middle of its most anomalous outlined place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musc.decisions.defect_boxes import EIGHT_CONNECTED, outline_levels

GAP = 1 / 13
"""Share of the grid's longer side: what is outlined less far apart is one place, such as both edges of a stain."""
DEPTH = 1 / 16
"""The same: standard deviation of the blur that finds the middle of a place."""
BETWEEN = 0.8
"""What a patch that is not outlined itself counts, such as the middle of a stain, or a hole of the part."""
RINGS = 2
"""Outermost rows and columns of patches that networks see worse: beyond them lie zeros, to layers and to LNAMD."""


def worst_place(
    patch_scores: NDArray[Any], fine_scores: NDArray[Any], threshold: float | None, taken: int | None = None
) -> int:
    """The patch in the middle of an image's most anomalous place, in reading order.

    A network sees the border of a stain rather than the stain, and a cord best where it leaves the photograph: maps are
    highest on the edge of what has changed.

    Args:
        patch_scores: (rows, columns) of one image, NaN outside of a region of interest.
        fine_scores: of the levels with the finest grid, see `defect_mask`.
        threshold: see `pixel_threshold`; None where the image is not listed.
        taken: the patch from which its score was taken, where that is not the map's maximum.
    """
    odd = outlined_patches(patch_scores, fine_scores, threshold)
    worst = taken
    if worst is None:
        worst = int(np.where(odd, without_border(np.nan_to_num(patch_scores)), -np.inf).argmax())
    return middle_patch(odd, worst, ~np.isnan(patch_scores)) if odd.flat[worst] else worst


def outlined_patches(
    patch_scores: NDArray[Any], fine_scores: NDArray[Any], threshold: float | None
) -> NDArray[np.bool_]:
    """Which patches of an image are outlined, or would be if it were listed: bool (rows, columns), never none.

    Args:
        threshold: see `pixel_threshold`; None where nothing is listed.
    """
    scores, fine = np.nan_to_num(patch_scores), np.nan_to_num(fine_scores)
    level, fine_level = outline_levels(scores, fine, np.inf if threshold is None else threshold)
    return np.asarray((scores >= level) & (fine >= fine_level))


def middle_patch(odd: NDArray[Any], worst: int, inside: NDArray[Any]) -> int:
    """The patch in the middle of the outlined place that holds the worst one, in reading order.

    Args:
        odd: bool (rows, columns), what is outlined.
        worst: an outlined patch.
        inside: bool (rows, columns), the region of interest.
    """
    from scipy import ndimage  # takes half a second to load

    gap = round(GAP * max(odd.shape))
    joined = np.pad(odd, gap)
    for spread in (ndimage.maximum_filter, ndimage.minimum_filter):
        joined = spread(joined, 2 * gap + 1)
    labels, _count = ndimage.label(joined[gap : gap + len(odd), gap : gap + odd.shape[1]], EIGHT_CONNECTED)
    place = ndimage.binary_fill_holes(labels == labels.flat[worst]) & inside
    depth = ndimage.gaussian_filter(place.astype(float), DEPTH * max(odd.shape), mode="constant")
    return int(np.where(place, np.where(odd, depth, BETWEEN * depth), -1).argmax())


def without_border(scores: NDArray[Any]) -> NDArray[Any]:
    """Patch scores of one image, (rows, columns), less what its outermost patches have more than its inner ones."""
    settled, (rows, columns) = scores.copy(), scores.shape
    if min(rows, columns) <= 2 * RINGS + 1:
        return settled
    row, column = np.ogrid[:rows, :columns]
    depth = np.minimum(np.minimum(row, rows - 1 - row), np.minimum(column, columns - 1 - column))
    usual = float(np.median(scores[depth >= RINGS]))
    for ring in range(RINGS):
        settled[depth == ring] -= max(0.0, float(np.median(scores[depth == ring])) - usual)
    return settled
