"""Exact counts of clean pixels above many thresholds, without sorting all pixels.

Scores and thresholds are put into the same fine bins. A pixel whose bin holds no threshold lies on the same side of
every threshold as its whole bin, so counting bins settles it; only the few pixels that share a bin with a threshold
are sorted. Nothing is approximated: bins only decide which pixels need sorting.
"""

from typing import NamedTuple

import numpy as np

from musc.metrics.inputs import Scores
from musc.metrics.ties import Counts

_MAX_BINS = 2**20
_PART_PIXELS = 2**20


class CleanCounts(NamedTuple):
    """How many clean pixels or images lie above K scores."""

    above: Counts
    """(K,) strictly above."""
    reached: Counts
    """(K,) above or tied."""
    total: int
    """All of them."""


def count_clean(scores: Scores, defective_scores: Scores, thresholds: Scores) -> CleanCounts:
    """Count the clean above each threshold: everything above it, less the defective above it.

    Args:
        scores: (M,) of all, clean and defective.
        defective_scores: of the defective among them, in any order.
        thresholds: (K,) within the range of `scores`, of the same dtype; quickest when sorted.

    Returns:
        Exact counts, in the order of `thresholds`.
    """
    below, not_above = count_below(scores, thresholds)
    ranked = np.sort(defective_scores)
    below -= np.searchsorted(ranked, thresholds, "left")
    not_above -= np.searchsorted(ranked, thresholds, "right")
    total = len(scores) - len(defective_scores)
    return CleanCounts(total - not_above, total - below, total)


def count_below(scores: Scores, thresholds: Scores) -> tuple[Counts, Counts]:
    """How many scores lie strictly below each threshold, and how many at or below it.

    Args:
        scores: (M,) M ≥ 1; read in parts, so that beside them only the contested ones are ever held.
        thresholds: (K,) within the range of `scores`, of the same dtype.

    Returns:
        Two int64 (K,).
    """
    bin_count = min(_MAX_BINS, len(scores))
    lowest, scale = _binning(scores, bin_count)
    threshold_bins = _bins(thresholds, lowest, scale)
    # Rounding can push the highest score one bin beyond the last.
    is_contested = np.zeros(bin_count + 2, np.bool_)
    is_contested[threshold_bins] = True
    counts = np.zeros(bin_count + 2, np.int64)
    contested = []
    for start in range(0, len(scores), _PART_PIXELS):
        part = scores[start : start + _PART_PIXELS]
        bins = _bins(part, lowest, scale)
        counts += np.bincount(bins, minlength=len(counts))
        contested.append(part[is_contested[bins]])
    ranked = np.concatenate(contested)
    ranked.sort()
    counts[is_contested] = 0
    settled = np.cumsum(counts)[threshold_bins]
    return settled + np.searchsorted(ranked, thresholds, "left"), settled + np.searchsorted(ranked, thresholds, "right")


def _binning(scores: Scores, bin_count: int) -> tuple[np.floating, np.floating]:
    """The lowest score and the bins per unit of score; 0 where the range is too small or large, so all share one."""
    lowest, highest = scores.min(), scores.max()
    spread = float(highest) - float(lowest)
    limits = np.finfo(scores.dtype)
    usable = bin_count / float(limits.max) < spread < float(limits.max)
    return lowest, scores.dtype.type(bin_count / spread if usable else 0)


def _bins(scores: Scores, lowest: np.floating, scale: np.floating) -> Counts:
    # Every step keeps the order of scores, rounding included; that is all the counting relies on.
    if scale == 0:
        return np.zeros(len(scores), np.int64)
    places = scores - lowest
    places *= scale
    return places.astype(np.int64)
