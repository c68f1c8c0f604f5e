"""Ranking with ties merged: how much lies above each distinct score of the defective.

Every curve used here turns only at scores that a defective pixel has; between two of them the true positives stand
still. So only the few defective pixels are sorted with their weights; `musc.metrics.counting` has the rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from musc.metrics.inputs import Scores

Counts = NDArray[np.int64]
Weights = NDArray[np.float64]


class TieGroups(NamedTuple):
    """The distinct scores of the defective, highest first, and what scores at least as high."""

    scores: Scores
    """(K,) strictly descending."""
    count_reached: Counts
    """(K,) how many defective pixels or images."""
    weight_reached: Weights
    """(K,) the sum of their weights."""


def group_ties(scores: Scores, weights: Weights | None = None) -> TieGroups:
    """Merge equal scores of the defective, so that no threshold parts them.

    Args:
        scores: (M,) in any order.
        weights: (M,) what each adds to the overlap; 1 / M where not given, which makes the overlap the recall.

    Returns:
        K ≤ M groups; none for M = 0.
    """
    if weights is None:
        weights = np.full(len(scores), 1 / max(len(scores), 1))
    order = np.argsort(scores)[::-1]
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])
    return TieGroups(ranked[ends], ends + 1, np.cumsum(weights[order])[ends])
