"""From anomaly maps to one score for each image, and where in the image it was taken.

| `image_score` | an image's score is the maximum of | for |
|---|---|---|
| `max` | its map, as in the paper (MuSc, ICLR 2024, section 3.1) | |
| `contrast` | its map less a low quantile of the same map | photographs turned, darker or noisier as a whole |
| `position` | its map less what is usual at the same place, the lot's median | parts that lie alike |

`balanced` is a weighted mean of the three, `BALANCE`: what one of them exaggerates on a product counts less then.

The maps stay as they are: only the score and its place follow from what is left. Patches outside of a region of
interest are NaN and take no part.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from musc.maps import MIN_WEIGHT, image_scores, means_inside, peak_positions, peaks_inside, resized
from musc.settings import ImageScore

BALANCE: dict[ImageScore, float] = {"max": 0.75, "contrast": 0.125, "position": 0.125}
"""Weights of the scores in `balanced`; measured in docs/settings.md."""
BACKGROUND = 0.1
"""Part of an image's patches that lie below what `contrast` takes for its background; measured in docs/method.md."""
PIXELS_AT_ONCE = 64 * 518 * 518
"""Pixels of the anomaly maps held at once, float32: 69 MB."""

FloatArray = NDArray[np.floating]


def score_maps(
    patch_scores: FloatArray,
    size: tuple[int, int],
    image_score: ImageScore = "max",
    usual: FloatArray | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The score of each image and its place, from the patch scores of which maps are made.

    Args:
        patch_scores: (N, rows, columns), NaN outside of a region of interest; at least one patch of each image inside.
        size: height and width of the maps in pixels.
        image_score: which score; see the module.
        usual: (rows, columns), what `position` takes away; None is the median of these images, `usual_scores`.

    Returns:
        Scores, float32 (N,), in the unit of the patch scores; below 0 where `position` finds an image less anomalous
        than usual everywhere. Places, float64 (N, 2), fractions of height and width; among equals the first in reading
        order, or furthest inside of the region; of `balanced` those of the maximum.
    """
    if image_score == "balanced":
        found = {which: score_maps(patch_scores, size, which, usual) for which in BALANCE}
        mean = sum(weight * found[which][0].astype(np.float64) for which, weight in BALANCE.items())
        return np.asarray(mean, dtype=np.float32), found["max"][1]
    taken = (usual_scores(patch_scores) if usual is None else usual) if image_score == "position" else None
    grid = patch_scores.shape[1], patch_scores.shape[2]
    scores, places = [], []
    step = max(1, PIXELS_AT_ONCE // (size[0] * size[1]))
    for start in range(0, len(patch_scores), step):
        left = patch_scores[start : start + step]
        if image_score == "contrast":
            left = left - background_scores(left)[:, None, None]
        elif taken is not None:
            left = left - taken
        cells = torch.from_numpy(np.asarray(left, dtype=np.float32)).flatten(1)
        masked = bool(cells.isnan().any())
        maps = means_inside(cells, grid, size, MIN_WEIGHT).nan_to_num(nan=-torch.inf) if masked else None
        maps = resized(cells, grid, size) if maps is None else maps
        scores.append(image_scores(maps))
        places.append(peaks_inside(maps, cells, grid) if masked else peak_positions(maps))
    return torch.cat(scores).numpy(), (torch.cat(places).numpy() + 0.5) / size


def background_scores(patch_scores: FloatArray) -> NDArray[np.float64]:
    """What each image's most usual patches score: (N,), a low quantile of those inside of its region of interest."""
    flat = patch_scores.reshape(len(patch_scores), -1)
    quantile = np.nanquantile if np.isnan(flat).any() else np.quantile
    return np.asarray(quantile(flat, BACKGROUND, axis=1), dtype=np.float64)


def usual_scores(patch_scores: FloatArray) -> NDArray[np.float32]:
    """What is usual at each place: the median of the images that have it inside of their region of interest.

    Args:
        patch_scores: (N, rows, columns), NaN outside.

    Returns:
        Float32 (rows, columns), without NaN: a place that no image has inside gets the median of the other places.
    """
    outside = np.isnan(patch_scores)
    if not outside.any():
        return np.asarray(np.median(patch_scores, axis=0), dtype=np.float32)
    nowhere = outside.all(axis=0)
    usual = np.nanmedian(np.where(nowhere, 0, patch_scores), axis=0)
    return np.where(nowhere, np.median(usual[~nowhere]), usual).astype(np.float32)
