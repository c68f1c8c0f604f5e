"""How the worst place of an image differs from good places most like it: measured in pixels, said in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from musc.layers import Grid
from reports.page.crops import crop_window

MIN_GOOD_PLACES = 3
"""Fewer do not show how much good places differ from each other."""
MIN_STRENGTH = 1.5
"""A difference is named from so many times the range of the good places on."""
MOST_NAMED = 3
EDGE_STEP = 24
"""Grey levels between neighbours from which a pixel lies on an edge."""
NO_DIFFERENCE = "No measured difference in brightness, colour, roughness or edges stands out."

_SMALLEST_RANGES = {"brightness": 4.0, "colour": 4.0, "roughness": 1.5, "edges": 3.0}
"""Good places count as at least so different from each other, in the unit of each quantity."""
_SENTENCES = {
    "brightness": ("Darker by {amount:.0f} grey levels.", "Lighter by {amount:.0f} grey levels."),
    "colour": ("Another colour, by {amount:.0f} grey levels.", "Another colour, by {amount:.0f} grey levels."),
    "roughness": ("Smoother by {amount:.1f} grey levels.", "Rougher by {amount:.1f} grey levels."),
    "edges": ("Fewer edges, by {amount:.0f} % of the pixels.", "More edges, by {amount:.0f} % of the pixels."),
}


@dataclass(frozen=True)
class Difference:
    """A quantity in which a place stands out from good ones."""

    quantity: str
    amount: float
    """Signed, from the median of the good places: grey levels, for edges percent of the pixels."""
    strength: float
    """Its size in ranges of the good places."""

    @property
    def sentence(self) -> str:
        """In words."""
        return _SENTENCES[self.quantity][self.amount > 0].format(amount=abs(self.amount))


def place_pixels(photograph: Image.Image, patch: int, grid: Grid) -> np.ndarray:
    """The pixels of a patch at the photograph's own resolution: uint8 (height, width, 3)."""
    (left, top, _, _), (inner_left, inner_top, inner_right, inner_bottom) = crop_window(patch, grid, photograph.size)
    box = (left + inner_left, top + inner_top, left + inner_right, top + inner_bottom)
    return np.asarray(photograph.crop(box).convert("RGB"))


def differences(worst: np.ndarray, good: Sequence[np.ndarray]) -> list[Difference]:
    """In what a place stands out from good ones, strongest first; none where too few good places are given.

    Args:
        worst: pixels uint8 (height, width, 3).
        good: those of the good places, each of any size.
    """
    if len(good) < MIN_GOOD_PLACES:
        return []
    colours = [_colour(pixels) for pixels in (worst, *good)]
    usual = np.median(colours[1:], axis=0)
    found = []
    for quantity, smallest in _SMALLEST_RANGES.items():
        if quantity == "colour":
            value, *others = (float(np.hypot(*(colour - usual))) for colour in colours)
        else:
            value, *others = (_measured(pixels)[quantity] for pixels in (worst, *good))
        amount = value - float(np.median(others))
        strength = abs(amount) / max(max(others) - min(others), smallest)
        if strength >= MIN_STRENGTH and (quantity != "colour" or amount > 0):
            found.append(Difference(quantity, amount, strength))
    return sorted(found, key=lambda difference: -difference.strength)[:MOST_NAMED]


def sentences(worst: np.ndarray, good: Sequence[np.ndarray]) -> list[str]:
    """The differences in words; empty where too few good places are given to say anything."""
    if len(good) < MIN_GOOD_PLACES:
        return []
    return [difference.sentence for difference in differences(worst, good)] or [NO_DIFFERENCE]


def _measured(pixels: np.ndarray) -> dict[str, float]:
    """Median grey, mean step between neighbours, percent of steps that are edges."""
    grey = pixels.astype(np.float64).mean(axis=2)
    steps = np.concatenate([np.abs(np.diff(grey, axis=axis)).ravel() for axis in (0, 1)])
    rough = float(steps[steps < EDGE_STEP].mean()) if (steps < EDGE_STEP).any() else 0.0
    edges = 100 * float((steps >= EDGE_STEP).mean()) if len(steps) else 0.0
    return {"brightness": float(np.median(grey)), "roughness": rough, "edges": edges}


def _colour(pixels: np.ndarray) -> np.ndarray:
    """Red against green, and yellow against blue, in grey levels: medians (2,)."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    return np.array([np.median(red - green), np.median((red + green) / 2 - blue)])
