"""Quantiles averaged over neighbouring order statistics (Harrell and Davis 1982), and how uncertain they are.

The same as in scipy.stats.mstats, whose import takes as long as scoring a small lot.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def smooth_quantile(ordered: FloatArray, fraction: float) -> float:
    """The Harrell-Davis estimate of a quantile.

    Args:
        ordered: (M,), ascending, M at least 2.
        fraction: in (0, 1), of the values that lie below.
    """
    return float(_weights(len(ordered), fraction) @ ordered)


def smooth_quantile_error(ordered: FloatArray, fraction: float) -> float:
    """The standard error of `smooth_quantile`, by leaving out each value in turn (jackknife)."""
    count = len(ordered)
    weights = _weights(count - 1, fraction)
    below = np.concatenate([[0.0], np.cumsum(weights * ordered[:-1])])
    above = np.concatenate([np.cumsum((weights * ordered[1:])[::-1])[::-1], [0.0]])
    return float(np.sqrt((below + above).var() * (count - 1)))


def _weights(count: int, fraction: float) -> FloatArray:
    """What each of some ordered values counts: the beta distribution's share of its place."""
    from scipy.special import betainc  # takes a third of a second to load

    places = np.arange(count + 1) / count
    return np.asarray(np.diff(betainc((count + 1) * fraction, (count + 1) * (1 - fraction), places)))
