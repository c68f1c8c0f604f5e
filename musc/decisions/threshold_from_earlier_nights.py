"""Earlier nights of a product say how far up its good parts reach, without a label.

Each night's scores are put in units of its own reach (from its median up to the line of
`musc.decisions.threshold_from_scores`), so that a darker lamp or another focus does not matter. Together they show the
shape of the upper tail, which one lot is too small to show. More scores far up than their middle lets expect are taken
for those of defects, up to a few percent, and left out, the highest first; the rest are taken for good.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musc.decisions.quantiles import smooth_quantile, smooth_quantile_error
from musc.decisions.threshold_from_scores import USUAL_SHARE, Reach, lower_spread, reach_of
from musc.decisions.two_groups import find_humps

FloatArray = NDArray[np.float64]

MIN_SCORES = 100
"""Scores of earlier nights, together, from which on they decide."""
MIN_NIGHT = 8
"""Images of a night below which its own median and spread say too little."""
MOST_DEFECTIVE = 0.05
"""Part of the earlier scores that is taken for defective at most."""
UPPER_QUANTILE, FAR = 0.8, 2.5
"""The quantile that, with the median, gives the width of the upper half, which few defects hardly widen; and the
number of such widths, standard deviations of a normal distribution, from which on scores are far up."""
PRODUCTS_DIFFER = 0.3
"""Standard deviation of the line's height over products, in the units of the heights: how far a few nights are believed
against the height of the lot's own rule, which is 1."""
UNUSUAL_SPREAD = 3.0
"""Times larger or smaller than the usual spread of the nights, from which on a night is unusual."""
UNUSUAL_SHARE = 0.25
"""Part of a night beyond the line, or in a second group, above which it is unusual."""


def heights_of_good_parts(nights: Sequence[FloatArray]) -> FloatArray:
    """How high good parts of earlier nights scored, in units of each night's reach above its median.

    Args:
        nights: (n,) scores of each night.

    Returns:
        (M,), ascending; empty where fewer than `MIN_SCORES` scores of usual nights are known, or nearly all of them are
        equal.
    """
    usual = usual_nights(nights)
    heights_of_nights = [(night - reach.centre) / reach.height for night in usual if (reach := reach_of(night))]
    heights = np.sort(np.concatenate(heights_of_nights)) if heights_of_nights else np.empty(0)
    if len(heights) < MIN_SCORES or np.quantile(heights, 1 - USUAL_SHARE) <= 0:
        return np.empty(0)
    return heights[: len(heights) - round(defective_share(heights) * len(heights))]


def defective_share(heights: FloatArray) -> float:
    """The part of the scores that is taken for defective, at most `MOST_DEFECTIVE`.

    It is what lies far up in excess of the normal distribution that fits the middle, the empirical null distribution
    of Efron (2004): as many as there are where defects score high, few where they are hidden or there are none.

    Args:
        heights: (M,), of all parts.
    """
    from scipy.special import ndtr, ndtri  # takes a third of a second to load

    middle, upper = np.quantile(heights, [0.5, UPPER_QUANTILE])
    width = (upper - middle) / ndtri(UPPER_QUANTILE)
    excess = float(np.mean(heights >= middle + FAR * width) - ndtr(-FAR))
    return min(MOST_DEFECTIVE, max(0.0, excess))


def height_at(heights: FloatArray, share: float) -> float:
    """The height that a share of good parts reach.

    A single order statistic so far up differs much from one set of nights to the next, so that fewer defects are found
    at the same share of good parts. Harrell and Davis (1982) average over its neighbours; what is left of its standard
    error says how far it is believed against the lot's own rule (empirical Bayes).

    Args:
        heights: (M,), as `heights_of_good_parts` gives them.
        share: in (0, 1).
    """
    quantile = smooth_quantile(heights, 1 - share)
    error = smooth_quantile_error(heights, 1 - USUAL_SHARE)
    believed = PRODUCTS_DIFFER**2 / (PRODUCTS_DIFFER**2 + error**2)
    return believed * quantile + (1 - believed) * Reach(0.0, 1.0).score_at(share)


def usual_nights(nights: Sequence[FloatArray]) -> list[FloatArray]:
    """The nights that look like most: large enough, of the usual spread, with few images in a group of their own.

    Args:
        nights: (n,) scores of each night.
    """
    large = [np.asarray(night, dtype=np.float64) for night in nights if len(night) >= MIN_NIGHT]
    reaches = [(night, reach) for night in large if (reach := reach_of(night)) and upper_share(night) <= UNUSUAL_SHARE]
    if not reaches:
        return []
    typical = float(np.median([lower_spread(night) for night, _ in reaches]))
    return [
        night
        for night, reach in reaches
        if 1 / UNUSUAL_SPREAD <= lower_spread(night) / typical <= UNUSUAL_SPREAD
        and np.mean(night >= reach.centre + reach.height) <= UNUSUAL_SHARE
    ]


def upper_share(night: FloatArray) -> float:
    """The part of a night in the higher of two groups; 0 if there is one group."""
    humps = find_humps(night)
    return humps.upper_count / len(night) if humps else 0.0
