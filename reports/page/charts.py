"""The geometry of a report's charts, in percent of their width and height; the page draws them as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musc.decisions.decision_words import Decision

BINS = 40


@dataclass(frozen=True)
class BarPart:
    """The images of one decision in a bar; everything in percent, the origin at the top."""

    decision: Decision
    top: float
    height: float


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram, in percent."""

    left: float
    width: float
    parts: tuple[BarPart, ...]
    """From the bottom up: accepted, suspect, flagged; without those that have no images."""


@dataclass(frozen=True)
class Histogram:
    """How the scores of a lot are distributed."""

    bars: tuple[Bar, ...]
    low: float
    """Score at the left end."""
    high: float
    threshold: float | None
    """Where the threshold of flagged images stands, in percent; None if there is none."""
    suspect_threshold: float | None
    """Where that of suspect images stands."""
    most: int
    """Images in the highest bar."""


def histogram(
    scores: np.ndarray, decisions: Sequence[str], threshold: float | None, suspect_threshold: float | None
) -> Histogram:
    """Count scores in equal bins; thresholds always lie on the chart.

    Args:
        scores: (N,).
        decisions: of each image.
        threshold: from which on images are flagged; None if there is none.
        suspect_threshold: from which on images are suspect; None if there is none.
    """
    lines = [line for line in (threshold, suspect_threshold) if line is not None]
    low, high = float(min([*scores, *lines])), float(max([*scores, *lines]))
    if high <= low:
        low, high = around(low)
    edges = np.linspace(low, high, BINS + 1)
    decision_of_image = np.asarray(decisions, dtype=str)
    counts = {
        decision: np.histogram(scores[decision_of_image == decision], edges)[0] for decision in reversed(Decision)
    }
    most = int(np.sum(list(counts.values()), axis=0).max())
    bars = tuple(
        Bar(100 * number / BINS, 100 / BINS, parts)
        for number in range(BINS)
        if (parts := bar_parts({decision: int(of_decision[number]) for decision, of_decision in counts.items()}, most))
    )
    flag_at, suspect_at = (
        None if line is None else 100 * (line - low) / (high - low) for line in (threshold, suspect_threshold)
    )
    return Histogram(bars, low, high, flag_at, suspect_at, most)


def around(value: float) -> tuple[float, float]:
    """Ends of an axis around a single value, of the value's own sign.

    >>> around(0.2), around(-0.2), around(0.0), around(3.0)
    ((0.0, 0.4), (-0.4, 0.0), (0.0, 0.5), (2.5, 3.5))
    """
    half = min(0.5, abs(value)) or 0.5
    return (value if value == 0 else value - half), value + half


def bar_parts(counts: Mapping[Decision, int], most: int) -> tuple[BarPart, ...]:
    """One bar's parts from the bottom up.

    Args:
        counts: images by decision, the lowest part first.
    """
    parts, below = [], 0
    for decision, count in counts.items():
        below += count
        if count:
            parts.append(BarPart(decision, 100 - 100 * below / most, 100 * count / most))
    return tuple(parts)


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
    finite = np.array([*values[np.isfinite(values)], *usual])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if high <= low:
        low, high = around(low)

    def y_of(number: float) -> float:
        return 90 - 80 * (number - low) / (high - low)

    xs = np.linspace(4, 96, len(values)) if len(values) > 1 else [96.0]
    dots = tuple((float(x), y_of(float(y))) for x, y in zip(xs, values, strict=True) if np.isfinite(y))
    return Trend(dots, (y_of(usual[1]), y_of(usual[0])) if usual else None)
