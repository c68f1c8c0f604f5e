"""The area under an overlap curve (PRO, sPRO): mean overlap with the defects against the false positive rate."""

import numpy as np
from numpy.typing import NDArray

from musc.metrics.counting import CleanCounts
from musc.metrics.inputs import Scores
from musc.metrics.ties import TieGroups, Weights

_REFERENCE_STEPS = 200
_REFERENCE_LIMIT = 0.3


def overlap_area(overlap_reached: Weights, clean: CleanCounts, limit: float) -> float:
    """The exact area up to a false positive rate, divided by it, so that a perfect map gives 1.

    Each tie group moves the curve in one straight step from what lies above it to what it reaches; between groups it
    runs level. The step that crosses the limit is cut there by interpolation.

    Args:
        overlap_reached: float64 (K,) mean overlap at or above each group's score, highest score first.
        clean: the clean pixels above the same K scores.
        limit: false positive rate in (0, 1].

    Returns:
        A value in [0, 1], up to rounding; NaN if there is no group or no clean pixel.
    """
    if len(overlap_reached) == 0 or clean.total == 0:
        return float("nan")
    rate = _interleave(clean.above, clean.reached, first=0, last=clean.total) / clean.total
    overlap = _interleave(_shift(overlap_reached), overlap_reached, first=0, last=overlap_reached[-1])
    width = np.diff(rate)
    inside = np.clip(limit - rate[:-1], 0, width)
    share = np.divide(inside, width, out=np.zeros_like(width), where=width > 0)
    height = overlap[:-1] + np.diff(overlap) * share / 2
    return float(inside @ height / limit)


def reference_thresholds(anomaly_maps: Scores) -> Scores:
    """The thresholds of the commonly published PRO: 200 equal steps from the lowest score of all maps to the highest.

    The published figures take the steps in float64 also when the maps are float32; a threshold is therefore rounded
    down to the maps' dtype, which leaves every comparison `score > threshold` as it was.

    Args:
        anomaly_maps: float32 or float64, of any shape.

    Returns:
        About 200 ascending values of the same dtype; none if all scores are the same.
    """
    lowest, highest = float(anomaly_maps.min()), float(anomaly_maps.max())
    step = (highest - lowest) / _REFERENCE_STEPS
    if step == 0 or not np.isfinite(step):
        return np.empty(0, anomaly_maps.dtype)
    exact = np.arange(lowest, highest, step)
    rounded = exact.astype(anomaly_maps.dtype)
    return np.where(rounded > exact, np.nextafter(rounded, rounded.dtype.type(-np.inf)), rounded)


def reference_area(groups: TieGroups, thresholds: Scores, clean: CleanCounts) -> float:
    """The commonly published PRO: the curve at rates below 0.3, stretched over [0, 1].

    It neither interpolates at 0.3 nor starts at 0, so it differs from the exact figure; it is here to be compared
    with published tables.

    Args:
        groups: of the defective pixels, weighted so that the weights sum to 1.
        thresholds: (T,) ascending, from `reference_thresholds`.
        clean: the clean pixels above the T thresholds.

    Returns:
        A value in [0, 1], up to rounding; NaN without a region, a clean pixel or two distinct rates below 0.3.
    """
    if len(groups.scores) == 0 or clean.total == 0:
        return float("nan")
    rate = clean.above / clean.total
    kept = rate < _REFERENCE_LIMIT
    rate, overlap = rate[kept], _overlap_above(groups, thresholds[kept])
    if len(rate) == 0 or rate.max() == rate.min():
        return float("nan")
    stretched = (rate - rate.min()) / (rate.max() - rate.min())
    return float(np.trapezoid(overlap[::-1], stretched[::-1]))


def _overlap_above(groups: TieGroups, thresholds: Scores) -> Weights:
    above_count = len(groups.scores) - np.searchsorted(groups.scores[::-1], thresholds, "right")
    return np.concatenate([[0.0], groups.weight_reached])[above_count]


def _shift(reached: Weights) -> Weights:
    return np.concatenate([[0.0], reached[:-1]])


def _interleave(
    befores: NDArray[np.generic], afters: NDArray[np.generic], first: float, last: float
) -> NDArray[np.float64]:
    # first, before 0, after 0, before 1, after 1, ..., last
    steps = np.stack([befores, afters], axis=1).ravel()
    return np.concatenate([[first], steps, [last]]).astype(np.float64)
