"""Where a place lies: by thirds of the part where all parts lie alike, otherwise of the photograph."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

Part = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the photograph's sides."""

SIDE = 64
"""Pixels of a photograph's sides while the part is sought."""
LEAST_PHOTOGRAPHS = 4
LEAST_CONTRAST = 20.0
"""Grey levels between part and background."""
LEAST_OVERLAP = 0.85
"""Of the parts of two photographs, their common area in that of both: from so much on they lie alike."""
LEAST_AREA, MOST_AREA = 0.05, 0.9
"""Share of the photograph that a part covers; more than that and there is no background to tell it from."""
ROWS = ("upper", "middle", "lower")
COLUMNS = ("left", "middle", "right")


def small_picture(photograph: Image.Image) -> np.ndarray:
    """A photograph small enough to find the part in it: float64 (`SIDE`, `SIDE`, 3), whatever its proportions."""
    reduced = photograph.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(reduced, dtype=np.float64)


def part_of(pictures: Sequence[np.ndarray]) -> Part | None:
    """Where the parts lie; None where they do not lie alike, or nothing tells them from a background.

    The background is what has the colour of the photographs' border.

    Args:
        pictures: of good parts, as `small_picture` makes them.
    """
    if len(pictures) < LEAST_PHOTOGRAPHS:
        return None
    stack = np.stack(pictures)
    usual = np.median(stack, axis=0)
    background = np.median(_border(usual), axis=0)
    contrast = float(np.percentile(np.linalg.norm(usual - background, axis=2), 90))
    level = max(contrast / 3, LEAST_CONTRAST / 2)
    if contrast < LEAST_CONTRAST or np.median(np.linalg.norm(_border(usual) - background, axis=1)) > level / 2:
        return None
    part = _largest(np.linalg.norm(usual - background, axis=2) > level)
    overlaps = [_overlap(part, _largest(np.linalg.norm(one - background, axis=2) > level)) for one in stack]
    if not LEAST_AREA <= part.mean() <= MOST_AREA or np.median(overlaps) < LEAST_OVERLAP:
        return None
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    left, top, right, bottom = (int(edge) / SIDE for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return left, top, right, bottom


def third(x: float, y: float, part: Part | None) -> tuple[str, str]:
    """In which third of the part, or of the photograph, a point lies: one of `ROWS` and one of `COLUMNS`.

    Args:
        x: fraction of the photograph's width.
        y: of its height.
        part: None for the whole photograph.

    >>> third(0.1, 0.5, None), third(0.4, 0.6, (0.3, 0.3, 0.6, 0.65))
    (('middle', 'left'), ('lower', 'middle'))
    """
    left, top, right, bottom = part or (0.0, 0.0, 1.0, 1.0)
    down, across = (y - top) / (bottom - top), (x - left) / (right - left)
    return ROWS[min(max(int(3 * down), 0), 2)], COLUMNS[min(max(int(3 * across), 0), 2)]


def _border(picture: np.ndarray) -> np.ndarray:
    """The outermost pixels: (n, 3)."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected region, its holes filled."""
    from scipy import ndimage  # takes half a second to load

    labels, count = ndimage.label(mask)
    if not count:
        return mask
    return np.asarray(ndimage.binary_fill_holes(labels == 1 + np.bincount(labels.ravel())[1:].argmax()))


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Common area in that of both."""
    both = (one | other).sum()
    return float((one & other).sum() / both) if both else 0.0
