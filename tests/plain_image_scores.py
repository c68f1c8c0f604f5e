"""Image scores in plain float64 loops over the pixels, an oracle for `musc.image_scores` and for commands."""

from statistics import median

import numpy as np


def plain_image_scores(
    patch_scores: np.ndarray,
    size: tuple[int, int],
    image_score: str,
    of_usual: np.ndarray | None = None,
    background: float = 0.1,
) -> tuple[list[float], list[tuple[int, int]]]:
    """Score and place (row, column of the map) of each image.

    Args:
        patch_scores: (N, rows, columns), NaN outside of a region of interest.
        size: height and width of the maps.
        image_score: max, contrast, position or balanced.
        of_usual: (G, rows, columns), whose medians are usual; None is the images themselves.
        background: part of an image's patches below the quantile that contrast takes away.
    """
    if image_score == "balanced":
        parts = [
            plain_image_scores(patch_scores, size, which, of_usual, background)
            for which in ("max", "contrast", "position")
        ]
        scores = [(6 * most + rise + above) / 8 for most, rise, above in zip(*(part[0] for part in parts), strict=True)]
        return scores, parts[0][1]
    rows, columns = patch_scores.shape[1:]
    usual = patch_scores if of_usual is None else of_usual
    taken = np.zeros(patch_scores.shape)
    if image_score == "contrast":
        for number, image in enumerate(patch_scores.astype(np.float64)):
            known = sorted(value for value in image.flat if not np.isnan(value))
            place = background * (len(known) - 1)
            low, high = known[int(place)], known[min(int(place) + 1, len(known) - 1)]
            taken[number] = low + (place - int(place)) * (high - low)
    if image_score == "position":
        for row in range(rows):
            for column in range(columns):
                values = [float(one) for one in usual[:, row, column] if not np.isnan(one)]
                taken[:, row, column] = median(values) if values else np.nan
    scores = [-np.inf] * len(patch_scores)
    places = [(-1, -1)] * len(patch_scores)
    above = patch_scores - taken
    for y in range(size[0]):
        for x in range(size[1]):
            down, across = y * (rows - 1) / (size[0] - 1), x * (columns - 1) / (size[1] - 1)
            for image, value in enumerate(plain_pixels(above, down, across)):
                if value > scores[image] + 1e-12:
                    scores[image], places[image] = float(value), (y, x)
    return scores, places


def plain_pixels(cells: np.ndarray, down: float, across: float) -> np.ndarray:
    """The bilinear mean of each image's patches inside; NaN where under a quarter of the weights is of such."""
    total, weight = np.zeros(len(cells)), np.zeros(len(cells))
    for row in {int(down), min(int(down) + 1, cells.shape[1] - 1)}:
        for column in {int(across), min(int(across) + 1, cells.shape[2] - 1)}:
            share = (1 - abs(down - row)) * (1 - abs(across - column))
            inside = ~np.isnan(cells[:, row, column]) & (share > 0)
            total[inside] += share * cells[inside, row, column]
            weight[inside] += share
    return np.divide(total, weight, out=np.full(len(cells), np.nan), where=weight >= 0.25)
