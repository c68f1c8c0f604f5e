"""Judged defects that look like a place of an image: nearest by stored features, shown to people and deciding nothing.

A place is a patch of the layer and at the degree in which close-ups are compared. A judged defect counts as alike only
where it is nearer than the nearest place of a normal-looking image: farther ones are as unlike as good parts are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from musc.kernels.lnamd_numpy import aggregate_arrays
from musc.layers import Layer
from storage.results.features import LotFeatures

SHOWN = 3


@dataclass(frozen=True)
class AlikeDefect:
    """A judged defect."""

    place: int
    """Among those that were compared."""
    distance: float
    """Between unit vectors, in [0, 2]."""


def drawn_place(patch_scores: np.ndarray, regions: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> int | None:
    """The patch with the highest score of those that drawn places touch, in reading order; None where there is none.

    Args:
        patch_scores: (rows, columns) of one image, NaN outside of a region of interest.
        regions: with `points`, corners across and down in pixels.
        size: width and height of the image in pixels.

    >>> scores = np.array([[1.0, 2.0], [9.0, 3.0]])
    >>> drawn_place(scores, [{"points": [(11, 1), (19, 1), (19, 19), (11, 19)]}], (20, 20))
    3
    >>> drawn_place(scores, [], (20, 20))
    """
    drawn = np.where(touched_patches(regions, size, patch_scores.shape), patch_scores, np.nan)
    return None if np.isnan(drawn).all() else int(np.nanargmax(drawn))


def touched_patches(regions: Sequence[Mapping[str, Any]], size: tuple[int, int], grid: tuple[int, ...]) -> np.ndarray:
    """The patches that drawn places touch: bool (rows, columns)."""
    rows, columns = grid
    mask = Image.new("L", (columns, rows))
    pen = ImageDraw.Draw(mask)
    for region in regions:
        corners = [
            (min(int(x * columns / size[0]), columns - 1), min(int(y * rows / size[1]), rows - 1))
            for x, y in region["points"]
        ]
        pen.polygon(corners, fill=1, outline=1)
    return np.asarray(mask) > 0


def place_features(features: LotFeatures, layer: Layer, degree: int, position: int, patch: int) -> np.ndarray:
    """The features of a place: float32 (C,), a unit vector.

    Args:
        patch: of the layer's grid.
    """
    tokens = features.patch_tokens(layer.number, position, position + 1)
    return np.asarray(aggregate_arrays(tokens, layer.grid, degree)[0, patch], dtype=np.float32)


def alike_defects(place: np.ndarray, known: np.ndarray, within: float) -> list[AlikeDefect]:
    """The judged defects nearest to a place, the nearest first.

    Args:
        place: (C,), a unit vector.
        known: (n, C), unit vectors.
        within: distance of the nearest good place, which they must not exceed.

    Returns:
        At most `SHOWN`.
    """
    if not len(known):
        return []
    distances = np.sqrt(np.maximum(2 - 2 * (known @ place), 0.0))
    nearest = np.argsort(distances, kind="stable")[:SHOWN]
    return [AlikeDefect(int(one), float(distances[one])) for one in nearest if distances[one] <= within]
