"""Brightness and sharpness of photographs, to notice changes of camera and light."""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

import numpy as np
from PIL import Image

CENTRE_PIXELS = 1024
"""Side of the middle of the photograph that is measured, at its own resolution: enough, and as quick for large ones."""

MOST_REMEMBERED = 100_000
"""Photographs whose measures a process keeps, about 20 MB."""


class Appearance(NamedTuple):
    """Two measures of one photograph."""

    brightness: float
    """Mean luma in [0, 1]."""
    sharpness: float
    """Variance of the Laplacian over the variance of the luma; 0 where nothing varies. Blur lowers it at once."""


class RememberedAppearances:
    """Measures of photographs that this process has decoded, by SHA-256: two numbers each, of the latest ones."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[str, Appearance] = OrderedDict()
        self._lock = Lock()

    def note(self, sha256: str, photograph: Image.Image) -> None:
        """Measure a photograph that is decoded anyway, and remember it."""
        measured = appearance_of(photograph)
        with self._lock:
            self._known[sha256] = measured
            self._known.move_to_end(sha256)
            if len(self._known) > self._most:
                self._known.popitem(last=False)

    def of(self, sha256: str) -> Appearance | None:
        """Measures of the photograph with this content; None if it was not decoded here, or long ago."""
        return self._known.get(sha256)


def appearance_of(image: Image.Image) -> Appearance:
    """Measure the middle of a photograph.

    The variance of the Laplacian is the usual focus measure (Pech-Pacheco et al. 2000, "Diatom autofocusing in
    brightfield microscopy"); divided by the variance of the luma it no longer follows exposure or contrast.
    """
    width, height = image.size
    side_x, side_y = min(width, CENTRE_PIXELS), min(height, CENTRE_PIXELS)
    left, top = (width - side_x) // 2, (height - side_y) // 2
    centre = image.crop((left, top, left + side_x, top + side_y))
    luma = np.asarray(centre.convert("L"), dtype=np.float32) / 255
    return Appearance(float(luma.mean()), _sharpness(luma))


def _sharpness(luma: np.ndarray) -> float:
    variance = float(luma.var())
    if min(luma.shape) < 3 or variance < 1e-9:
        return 0.0
    middle = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * middle
    return float(laplacian.var()) / variance


REMEMBERED = RememberedAppearances()
"""Filled where photographs are extracted, so that the profile need not decode them once more."""
