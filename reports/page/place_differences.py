"""How the worst place of an image differs from good places most like it: measured in pixels, said in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from musc.layers import Grid
from reports.languages.current import gettext as _
from reports.languages.numbers import number
from reports.page.crops import crop_window
from reports.page.place_presence import presence

MIN_GOOD_PLACES = 3
"""Fewer do not show how much good places differ from each other."""
MOST_NAMED = 3
MIN_SIDE = 24
"""Pixels; smaller places are measured with their surroundings."""
GOOD_PLACES, SAME_PLACES = 8, 16
"""Good places that are measured: the nearest by features, whose first ones the page shows, and at the same position."""
LESS_ALIKE = 1.5
"""So many times as different from each other as the nearest ones may good places at the same position be."""
CLEAR = 1.3
"""Strength from which on a difference of an image is named; chosen by `benchmarks/report/whole_photographs.py`."""
THUMBNAIL = 6
"""Pixels a side at which good places are compared with each other."""

_FLOORS = {"brightness": 8.0, "colour": 13.0, "roughness": 0.45, "edges": 12.0, "presence": 6.0, "detail": 0.9}
"""Good places count as at least so different from each other: grey levels, doublings, percent of the pixels."""
_RANGES = {"brightness": 0.8, "colour": 1.0, "roughness": 0.55, "edges": 0.6, "presence": 0.6, "detail": 0.55}
"""Share of the range of the good places that counts too; chosen by `benchmarks/report/differences.py`."""
_LEAST = {"roughness": 1.0, "detail": 0.3}
"""Grey levels added before logarithms are taken: what lies far below is as good as none."""
_ONE_WAY = {"colour": True, "roughness": True, "edges": True, "presence": True, "detail": False}
"""Quantities that are named only where they are greater, or less, than in good places."""
_SEEN = 12.0
"""Grey levels from which on a thing is called lighter or darker."""
_EDGE = 1.5, 4.0
"""A gradient belongs to an edge from so many times the noise on, and from so many grey levels a pixel."""
_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
"""Sees neither planes nor straight lines along the axes; keeps white noise's deviation (Immerkaer 1996)."""
_MAD, _QUARTILE = 1.4826, 0.3186
"""Standard deviations in a median absolute deviation, and the lower quartile of |x| of a standard normal x."""


@dataclass(frozen=True)
class Difference:
    """A quantity in which a place stands out from good ones."""

    quantity: str
    amount: float
    """Signed, from the median of the good places: grey levels, for edges percent of the pixels."""
    strength: float
    """Its size in what good places differ by; named from 1 on."""
    light: float = 0.0
    """Of a thing that good places lack: by how many grey levels it is lighter than they are."""

    @property
    def sentence(self) -> str:
        """In words."""
        more, levels = (
            self.amount > 0,
            number(abs(self.amount), ".1f" if self.quantity in ("roughness", "detail") else ".0f"),
        )
        if self.quantity == "colour":
            return _("Another colour, by %(levels)s grey levels.", levels=levels)
        if self.quantity == "brightness" and more:
            return _("Lighter by %(levels)s grey levels.", levels=levels)
        if self.quantity == "brightness":
            return _("Darker by %(levels)s grey levels.", levels=levels)
        if self.quantity == "roughness":
            return _("Rougher by %(levels)s grey levels.", levels=levels)
        if self.quantity == "presence":
            return self._thing(levels)
        if self.quantity == "detail":
            return _("Smoother by %(levels)s grey levels.", levels=levels)
        return _("More edges, by %(levels)s %% of the pixels.", levels=levels)

    def _thing(self, levels: str) -> str:
        """A thing that good places lack, in words."""
        if self.light >= _SEEN:
            return _("Something lighter is there that good places lack, on %(levels)s %% of the pixels.", levels=levels)
        if self.light <= -_SEEN:
            return _("Something darker is there that good places lack, on %(levels)s %% of the pixels.", levels=levels)
        return _("Something is there that good places lack, on %(levels)s %% of the pixels.", levels=levels)


def place_pixels(photograph: Image.Image, patch: int, grid: Grid) -> np.ndarray:
    """A patch at the photograph's own resolution, at least `MIN_SIDE` a side: uint8 (height, width, 3)."""
    (left, top, _, _), (inner_left, inner_top, inner_right, inner_bottom) = crop_window(patch, grid, photograph.size)
    first, end = _widened(left + inner_left, left + inner_right, photograph.width)
    upper, lower = _widened(top + inner_top, top + inner_bottom, photograph.height)
    return np.asarray(photograph.crop((first, upper, end, lower)).convert("RGB"))


def _widened(start: int, stop: int, length: int) -> tuple[int, int]:
    """A span of `MIN_SIDE` pixels at least around another, inside of a side of a photograph."""
    side = min(max(stop - start, MIN_SIDE), length)
    first = min(max((start + stop - side) // 2, 0), length - side)
    return first, first + side


def clear_differences(
    worst: np.ndarray, nearest: Sequence[np.ndarray], same: Sequence[np.ndarray]
) -> list[Difference] | None:
    """In what an odd place clearly stands out from the good ones that it is compared with; as `differences`."""
    found = differences(worst, comparable(nearest, same))
    return None if found is None else [one for one in found if one.strength >= CLEAR]


def comparable(nearest: Sequence[np.ndarray], same: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """The good places that an odd one is to be compared with: those at the same position, where these are alike.

    A darker place is nearest to the darkest good ones, by features; those at its own position do not hide what is odd.

    Args:
        nearest: pixels uint8 (height, width, 3) of the nearest good places by features.
        same: of good places at the same position.
    """
    if len(same) < MIN_GOOD_PLACES or len(same) < len(nearest):
        return nearest
    return same if not len(nearest) or _unlike(same) <= LESS_ALIKE * _unlike(nearest) else nearest


def _unlike(places: Sequence[np.ndarray]) -> float:
    """How much places differ from each other, in grey levels."""
    small = [Image.fromarray(pixels).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX) for pixels in places]
    stack = np.stack([np.asarray(one, dtype=float) for one in small])
    return float(np.abs(stack - np.median(stack, axis=0)).mean())


def differences(worst: np.ndarray, good: Sequence[np.ndarray]) -> list[Difference] | None:
    """In what a place stands out from good ones, strongest first; None where too few good places are given to say.

    Args:
        worst: pixels uint8 (height, width, 3).
        good: those of the good places, each of any size.
    """
    if len(good) < MIN_GOOD_PLACES:
        return None
    places = [pixels.astype(np.float64) for pixels in (worst, *good)]
    shares, light = presence(places)
    measured = _measured(places) | {"presence": shares}
    found = {name: one for name, values in measured.items() if (one := _difference(name, values))}
    if "presence" in found:
        found["presence"] = replace(found["presence"], light=light)
    if "presence" in found or "detail" in found:
        found.pop("edges", None)  # they are the outline of the thing; blurred outlines cover more pixels
    return sorted(found.values(), key=lambda difference: -difference.strength)[:MOST_NAMED]


def _difference(quantity: str, values: np.ndarray) -> Difference | None:
    """In what the first of the values stands out from the others, of good places; None where it does not."""
    amount = values[0] - np.median(values[1:])
    value, *others = np.log2(_LEAST[quantity] + values) if quantity in ("roughness", "detail") else values
    usual, least, most = np.median(others), min(others), max(others)
    if least <= value <= most or (amount > 0) != _ONE_WAY.get(quantity, amount > 0):
        return None
    spread = _MAD * np.median(np.abs(others - usual))
    strength = abs(value - usual) / np.linalg.norm([spread, _RANGES[quantity] * (most - least), _FLOORS[quantity]])
    return Difference(quantity, float(amount), float(strength)) if strength >= 1 else None


def _measured(places: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Each quantity of every place, (places,); the first place is the one that is compared with the others."""
    greys = [pixels.mean(axis=2) for pixels in places]
    noise = np.array([_noise(grey) for grey in greys])
    gradients = [_gradient(grey) for grey in greys]
    usual = np.median([np.percentile(gradient, 30) for gradient in gradients[1:]])
    edge = max(_EDGE[0] * max(noise[0], np.median(noise[1:])), 3 * usual, _EDGE[1])
    brightness = np.array([np.median(grey) for grey in greys])
    return {
        "brightness": brightness,
        "colour": _colour_distances(places, brightness),
        "roughness": noise,
        "edges": np.array([_edges(gradient, edge) for gradient in gradients]),
        "detail": np.array([_detail(grey) for grey in greys])
        * (np.median(brightness[1:]) / (brightness + 1)).clip(1, 4),
    }


def _noise(grey: np.ndarray) -> float:
    """Standard deviation of the noise in grey levels, from the quieter pixels: lines and spots add nothing to it."""
    from scipy import ndimage  # takes half a second to load

    steps = np.abs(ndimage.convolve(grey, _NOISE, mode="nearest"))
    inner = steps[1:-1, 1:-1] if min(grey.shape) > 2 else steps
    return float(np.percentile(inner, 25) / _QUARTILE)


def _detail(grey: np.ndarray) -> float:
    """Mean of what a blur by a pixel takes away, in grey levels."""
    from scipy import ndimage  # takes half a second to load

    return float(np.abs(grey - ndimage.gaussian_filter(grey, 1, mode="nearest")).mean())


def _gradient(grey: np.ndarray) -> np.ndarray:
    """Its size in grey levels a pixel, of the picture smoothed by a pixel."""
    from scipy import ndimage  # takes half a second to load

    return np.hypot(*(ndimage.gaussian_filter(grey, 1, order, mode="nearest") for order in ((0, 1), (1, 0))))


def _edges(gradient: np.ndarray, least: float) -> float:
    """Percent of the pixels in connected runs whose gradient reaches `least`; short runs are noise."""
    from scipy import ndimage  # takes half a second to load

    labels, _count = ndimage.label(gradient >= least, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    return float(100 * sizes[sizes >= max(3, len(gradient) // 4)].sum() / gradient.size)


def _colour_distances(places: Sequence[np.ndarray], brightness: np.ndarray) -> np.ndarray:
    """How far each place's colour lies from the usual one in grey levels, where brightness does not explain it.

    Less light on a coloured surface lets its colour fade towards grey by up to the same factor; so does too much light.
    """
    colours = np.array([_colour(pixels) for pixels in places])
    usual, light = np.median(colours[1:], axis=0), np.median(brightness[1:])
    factors = np.minimum((brightness + 1) / (light + 1), (light + 1) / (brightness + 1))
    faded = usual * factors[:, None]
    way = usual - faded
    share = ((colours - faded) * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-9)
    return np.linalg.norm(colours - faded - share.clip(0, 1)[:, None] * way, axis=1)


def _colour(pixels: np.ndarray) -> np.ndarray:
    """Red against green, and yellow against blue, in grey levels: medians (2,)."""
    red, green, blue = np.moveaxis(pixels, 2, 0)
    return np.array([np.median(red - green), np.median((red + green) / 2 - blue)])
