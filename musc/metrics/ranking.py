"""AUROC, average precision and the best F1, from tie groups: the same for images, pixels and histogram bins."""

import numpy as np

from musc.metrics.counting import CleanCounts
from musc.metrics.ties import Counts


def ranking_metrics(defective_reached: Counts, clean: CleanCounts) -> dict[str, float]:
    """The three figures of a ranking whose ties are merged.

    Args:
        defective_reached: (K,) defective at or above each group's score, highest first; the last is all of them.
        clean: the clean above the same K scores.

    Returns:
        `auroc`, `f1_max` and `ap`, in [0, 1] or NaN where not defined.
    """
    return {
        "auroc": auroc(defective_reached, clean),
        "f1_max": f1_max(defective_reached, clean),
        "ap": average_precision(defective_reached, clean),
    }


def auroc(defective_reached: Counts, clean: CleanCounts) -> float:
    """The chance that a defective one outranks a clean one, a tie counting one half; NaN unless there are both."""
    if len(defective_reached) == 0 or clean.total == 0:
        return float("nan")
    in_group = np.diff(defective_reached, prepend=0).astype(np.float64)
    outranked = clean.total - (clean.above + clean.reached) / 2
    return float(in_group @ outranked / (float(defective_reached[-1]) * clean.total))


def f1_max(defective_reached: Counts, clean: CleanCounts) -> float:
    """The largest harmonic mean of precision and recall over all thresholds; NaN if nothing is defective."""
    if len(defective_reached) == 0:
        return float("nan")
    return float(np.max(2 * defective_reached / (defective_reached + clean.reached + defective_reached[-1])))


def average_precision(defective_reached: Counts, clean: CleanCounts) -> float:
    """Precision averaged over the defective, each at the threshold that reaches it; NaN if nothing is defective."""
    if len(defective_reached) == 0:
        return float("nan")
    in_group = np.diff(defective_reached, prepend=0)
    # A histogram's top bins may be empty: nothing reached, no precision, no share of the average.
    precision = defective_reached / np.maximum(defective_reached + clean.reached, 1)
    return float(in_group @ precision / defective_reached[-1])
