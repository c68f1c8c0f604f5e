"""How the worst place of an image differs from good places most like it: measured in pixels, said in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from musc.layers import Grid
from reports.languages.current import gettext as _
from reports.languages.numbers import number
from reports.page.crops import crop_window

MIN_GOOD_PLACES = 3
"""Fewer do not show how much good places differ from each other."""
MIN_STRENGTH = 1.5
"""A difference is named from so many times the range of the good places on."""
MOST_NAMED = 3
EDGE_STEP = 24
"""Grey levels between neighbours from which a pixel lies on an edge."""

_SMALLEST_RANGES = {"brightness": 4.0, "colour": 4.0, "roughness": 1.5, "edges": 3.0}
"""Good places count as at least so different from each other, in the unit of each quantity."""


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
        more, levels = self.amount > 0, number(abs(self.amount), ".1f" if self.quantity == "roughness" else ".0f")
        if self.quantity == "colour":
            return _("Another colour, by %(levels)s grey levels.", levels=levels)
        if self.quantity == "brightness" and more:
            return _("Lighter by %(levels)s grey levels.", levels=levels)
        if self.quantity == "brightness":
            return _("Darker by %(levels)s grey levels.", levels=levels)
        if self.quantity == "roughness" and more:
            return _("Rougher by %(levels)s grey levels.", levels=levels)
        if self.quantity == "roughness":
            return _("Smoother by %(levels)s grey levels.", levels=levels)
        if more:
            return _("More edges, by %(levels)s %% of the pixels.", levels=levels)
        return _("Fewer edges, by %(levels)s %% of the pixels.", levels=levels)


def place_pixels(photograph: Image.Image, patch: int, grid: Grid) -> np.ndarray:
    """The pixels of a patch at the photograph's own resolution: uint8 (height, width, 3)."""
    (left, top, _, _), (inner_left, inner_top, inner_right, inner_bottom) = crop_window(patch, grid, photograph.size)
    box = (left + inner_left, top + inner_top, left + inner_right, top + inner_bottom)
    return np.asarray(photograph.crop(box).convert("RGB"))


def differences(worst: np.ndarray, good: Sequence[np.ndarray]) -> list[Difference] | None:
    """In what a place stands out from good ones, strongest first; None where too few good places are given to say.

    Args:
        worst: pixels uint8 (height, width, 3).
        good: those of the good places, each of any size.
    """
    if len(good) < MIN_GOOD_PLACES:
        return None
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
