"""Known good parts decide by counting: conformal p-values, without a fitted distribution.

The p-value of an image is the rank of its score among those of the n known good parts and itself, over n + 1. Of good
parts whose scores come about in the same way at most a share α gets a p-value of at most α, whatever the scores'
distribution (Vovk, Gammerman and Shafer 2005, *Algorithmic Learning in a Random World*; for outliers Bates, Candès,
Lei, Romano and Sesia 2023, *Testing for outliers with conformal p-values*; introduction: Angelopoulos and Bates 2023).
That holds on average over the good parts given; the smallest share that can be promised is 1 / (n + 1).

The packages crepes and MAPIE compute the same rank as a part of classifiers and regressors; theirs break ties by random
numbers or ask for a model, so these few lines stand here.
"""

from math import floor, inf

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ROUNDING = 1e-9
"""So that 0.1 · 30 counts as 3."""


def conformal_p_values(scores: FloatArray, good_scores: FloatArray) -> FloatArray:
    """How often a good part scores as high as each image: (N,) of 1 / (M + 1) … 1.

    Args:
        scores: (N,).
        good_scores: (M,), of known good parts, each scored without itself.
    """
    ordered = np.sort(good_scores)
    as_high = len(ordered) - np.searchsorted(ordered, scores, side="left")
    return np.asarray((1 + as_high) / (1 + len(ordered)), dtype=np.float64)


def conformal_threshold(good_scores: FloatArray, share: float) -> float:
    """The score from which on p-values are at most a share, or the smallest share that can be promised.

    Args:
        good_scores: (M,), M ≥ 1.
        share: in [0, 1).
    """
    allowed = max(1, floor(share * (len(good_scores) + 1) + ROUNDING))
    return float(np.nextafter(np.sort(good_scores)[-allowed], inf))


def smallest_share(good_count: int) -> float:
    """The smallest share of good parts that so many known good ones can promise to be listed."""
    return 1 / (good_count + 1)
