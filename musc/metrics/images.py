"""How well the image scores of a lot tell bad images from good ones."""

from numpy.typing import ArrayLike

from musc.metrics.counting import count_clean
from musc.metrics.inputs import as_binary, as_scores
from musc.metrics.ranking import ranking_metrics
from musc.metrics.ties import group_ties


def image_metrics(labels: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """AUROC, best F1 and average precision of image scores, ties merged.

    Args:
        labels: (N,) 1 for an anomalous image, 0 for a good one.
        scores: (N,) finite, higher where more anomalous.

    Returns:
        `auroc`, `f1_max` and `ap`, in [0, 1]. Not defined and NaN: all three without an anomalous image, `auroc`
        without a good one (`f1_max` and `ap` are then 1).

    Raises:
        ValueError: if the lengths differ, a label is neither 0 nor 1, or a score is not finite.
    """
    values = as_scores("scores", scores, dimensions=1)
    anomalous = as_binary("labels", labels, dimensions=1)
    if anomalous.shape != values.shape:
        raise ValueError(f"labels must be as many as scores {len(values)}, got {len(anomalous)}; give one per image")
    anomalous_scores = values[anomalous]
    groups = group_ties(anomalous_scores)
    return ranking_metrics(groups.count_reached, count_clean(values, anomalous_scores, groups.scores))
