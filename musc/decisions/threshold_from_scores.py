"""From the lower half of the scores to how far up good parts reach.

Defects lie among the high scores, so only the lower half says how good parts vary: their *lower spread* is the root
mean square of the lower half about the median. How many lower spreads the good parts' upper tail reaches differs from
product to product (1.3 to 7 on photographs) and cannot be seen in one lot, whose upper end may be defects. The numbers
here are a compromise over real products, chosen as docs/decisions.md says.
"""

from dataclasses import dataclass
from math import exp, inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

USUAL_SHARE = 0.03
"""The share of good parts that the line of `usual_line` belongs to."""
LINE, SMALL_LOT = 2.75, 6.0
"""Lower spreads above the median of that line: `LINE + SMALL_LOT / sqrt(N)`. The median and the spread of few parts are
uncertain by as much."""
DECAY = 1.5
"""How fast good parts become fewer beyond that line: e times fewer each time a score lies 1 / 1.5 of the line's height
above the median higher."""
CLEAN_LOTS_FLAGGED = 0.1
"""Part of the lots without defects in which something may be flagged."""


@dataclass(frozen=True)
class Reach:
    """How far up the scores of good parts reach."""

    centre: float
    """Their median."""
    height: float
    """From the median to the score that `USUAL_SHARE` of them reach; positive."""

    def score_at(self, share: float) -> float:
        """The score that a share of the good parts, in (0, 1), reaches; higher for a smaller share."""
        if share >= USUAL_SHARE:
            from scipy.special import ndtri  # takes a third of a second to load

            times = float(ndtri(share) / ndtri(USUAL_SHARE))
        else:
            times = 1 + log(USUAL_SHARE / share) / DECAY
        return self.centre + times * self.height

    def flag_threshold(self, scores: FloatArray, false_alarms: float) -> float:
        """From which score on images are flagged; infinite where no image stands out beyond doubt.

        Args:
            scores: (N,) of the lot.
            false_alarms: good images expected to be flagged in a lot that holds defects. Nothing is flagged unless the
                highest score exceeds what nine of ten clean lots stay below.
        """
        if false_alarms <= 0:
            return inf
        count = len(scores)
        beyond_doubt = self.score_at(min(USUAL_SHARE, CLEAN_LOTS_FLAGGED / count))
        if scores.max() < beyond_doubt:
            return inf
        return self.score_at(min(USUAL_SHARE, false_alarms / count))

    def p_values(self, scores: FloatArray) -> FloatArray:
        """How often a good part scores as high as each image: (N,) in (0, 1].

        Below the line, the images are taken for good and counted: the share above the line, and the images from a
        score up to the line. Beyond it the share falls off exponentially.

        Args:
            scores: (N,) of the lot, of which some lie below the line.
        """
        line = self.centre + self.height
        below = np.sort(scores[scores < line])
        higher = len(below) - np.searchsorted(below, scores, side="left")
        counted = USUAL_SHARE + (1 - USUAL_SHARE) * higher / max(1, len(below))
        beyond = np.maximum(scores - line, 0.0) / self.height
        tail = USUAL_SHARE * np.exp(-np.minimum(DECAY * beyond, -log(LEAST_P / USUAL_SHARE)))
        return np.where(scores < line, counted, tail)


LEAST_P = exp(-300)
"""Smaller p-values are given as this, so that none is 0."""


def reach_of(scores: FloatArray) -> Reach | None:
    """How far up good parts reach, by the lower half of a lot's scores; None where these are all equal.

    Args:
        scores: (N,), of which at least half are those of good parts.
    """
    spread = lower_spread(scores)
    height = spread * (LINE + SMALL_LOT / sqrt(len(scores)))
    centre = float(np.median(scores))
    return Reach(centre, height) if centre + height > centre else None


def lower_spread(scores: FloatArray) -> float:
    """Root mean square of the lower half about the median, which defects above it do not widen."""
    below = np.sort(scores)[: (len(scores) + 1) // 2] - np.median(scores)
    return float(np.sqrt(np.mean(below**2)))
