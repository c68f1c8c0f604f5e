"""How much a metric can change when the order within tie groups is lost, from the counts alone.

Inside a group that holds d defective and c clean pixels any order is possible; each bound below is the distance from
the merged figure to the better or worse extreme of all orders.
"""

import numpy as np

from musc.metrics.counting import CleanCounts
from musc.metrics.overlap import overlap_area
from musc.metrics.ranking import average_precision, f1_max
from musc.metrics.ties import Counts, Weights


def ranking_error_bounds(defective_reached: Counts, clean: CleanCounts) -> dict[str, float]:
    """Bounds for the three figures of `ranking_metrics`.

    Args:
        defective_reached: (K,) as for `ranking_metrics`.
        clean: as for `ranking_metrics`.

    Returns:
        `auroc`, `f1_max` and `ap`: absolute differences, NaN where the figure is not defined.
    """
    return {
        "auroc": auroc_error_bound(defective_reached, clean),
        "f1_max": f1_max_error_bound(defective_reached, clean),
        "ap": average_precision_error_bound(defective_reached, clean),
    }


def auroc_error_bound(defective_reached: Counts, clean: CleanCounts) -> float:
    """Half the share of (defective, clean) pairs that fall into one group: each counts ½ instead of 0 or 1."""
    if len(defective_reached) == 0 or clean.total == 0:
        return float("nan")
    in_group = np.diff(defective_reached, prepend=0).astype(np.float64)
    pairs = in_group @ (clean.reached - clean.above)
    return float(pairs / (2 * float(defective_reached[-1]) * clean.total))


def f1_max_error_bound(defective_reached: Counts, clean: CleanCounts) -> float:
    """The best any threshold inside a group can do is to reach all its defective before any of its clean.

    Merged thresholds are real ones, so the merged figure is never too high.
    """
    if len(defective_reached) == 0:
        return float("nan")
    best = 2 * defective_reached / (defective_reached + clean.above + defective_reached[-1])
    return float(best.max()) - f1_max(defective_reached, clean)


def average_precision_error_bound(defective_reached: Counts, clean: CleanCounts) -> float:
    """Best, a group's defective all precede its clean, tied; worst, they follow one by one.

    Worst, the i-th of a group's d defective has precision (t + i) / (t + i + f), with t defective above the group and
    f clean reached; the sum over i is at least the integral from 0 to d, since the precision rises with i.
    """
    if len(defective_reached) == 0:
        return float("nan")
    total = float(defective_reached[-1])
    in_group = np.diff(defective_reached, prepend=0)
    above = defective_reached - in_group
    highest = in_group @ (defective_reached / np.maximum(defective_reached + clean.above, 1)) / total
    lost = clean.reached * np.log1p(in_group / np.maximum(above + clean.reached, 1))
    lowest = float(np.sum(in_group - lost)) / total
    merged = average_precision(defective_reached, clean)
    return max(float(highest) - merged, merged - lowest)


def overlap_error_bound(overlap_reached: Weights, clean: CleanCounts, limit: float) -> float:
    """The overlap rises somewhere within a group's range of rates: at its very start or at its very end.

    Args:
        overlap_reached: float64 (K,) as for `overlap_area`.
        clean: as for `overlap_area`.
        limit: false positive rate in (0, 1].

    Returns:
        The absolute difference; NaN where the area is not defined.
    """
    merged = overlap_area(overlap_reached, clean, limit)
    at_start = overlap_area(overlap_reached, clean._replace(reached=clean.above), limit)
    at_end = overlap_area(overlap_reached, clean._replace(above=clean.reached), limit)
    return max(at_start - merged, merged - at_end) if np.isfinite(merged) else float("nan")
