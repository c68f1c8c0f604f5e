"""The geometry of a report's charts, in percent of their width and height; the page draws them as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 40


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram; everything in percent."""

    left: float
    width: float
    accepted: float
    """Height of the accepted images' part, which stands below the flagged ones'."""
    flagged: float


@dataclass(frozen=True)
class Histogram:
    """How the scores of a lot are distributed."""

    bars: tuple[Bar, ...]
    low: float
    """Score at the left end."""
    high: float
    threshold: float | None
    """Where the threshold stands, in percent; None if there is none."""
    most: int
    """Images in the highest bar."""


def histogram(scores: np.ndarray, flagged: np.ndarray, threshold: float | None) -> Histogram:
    """Count scores in equal bins; the threshold always lies on the chart.

    Args:
        scores: (N,).
        flagged: bool (N,).
        threshold: from which on images are flagged; None if there is none.
    """
    ends = [*scores, *([] if threshold is None else [threshold])]
    low, high = float(min(ends)), float(max(ends))
    if high <= low:
        half = min(0.5, low) or 0.5
        low, high = max(0.0, low - half), high + half
    edges = np.linspace(low, high, BINS + 1)
    of_accepted, of_flagged = (np.histogram(scores[part], edges)[0] for part in (~flagged, flagged))
    most = int((of_accepted + of_flagged).max())
    bars = tuple(
        Bar(100 * number / BINS, 100 / BINS, 100 * int(accepted) / most, 100 * int(marked) / most)
        for number, (accepted, marked) in enumerate(zip(of_accepted, of_flagged, strict=True))
        if accepted or marked
    )
    at = None if threshold is None else 100 * (threshold - low) / (high - low)
    return Histogram(bars, low, high, at, most)


@dataclass(frozen=True)
class Trend:
    """The values of one measure over the runs; everything in percent, the origin at the top left."""

    dots: tuple[tuple[float, float], ...]
    """Across and down, the last one is tonight's."""
    band: tuple[float, float] | None
    """Top and bottom of what is usual; None while that is unknown."""


def trend(earlier: Sequence[float], value: float, median: float, allowance: float) -> Trend:
    """Earlier values from left to right, then tonight's, with the band of the usual ones behind them."""
    values = np.array([*earlier, value], dtype=float)
    usual = [] if np.isnan(allowance) else [median - allowance, median + allowance]
    known = np.array([*values[np.isfinite(values)], *usual])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if high <= low:
        half = min(0.5, low) or 0.5
        low, high = max(0.0, low - half), high + half

    def down(at: float) -> float:
        return 90 - 80 * (at - low) / (high - low)

    across = np.linspace(4, 96, len(values)) if len(values) > 1 else [96.0]
    dots = tuple((float(x), down(float(y))) for x, y in zip(across, values, strict=True) if np.isfinite(y))
    return Trend(dots, (down(usual[1]), down(usual[0])) if usual else None)
