"""Ways to say from a lot's own scores where good parts end, each with one strength to be chosen.

Every rule is a function of the scores (N,) and its strength, a number that lists fewer images the larger it is, and
gives the score from which on images are listed.
"""

from collections.abc import Callable, Sequence
from math import exp, inf, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import gamma, norm

from musc.decisions.threshold_from_scores import SMALL_LOT, lower_spread

FloatArray = NDArray[np.float64]


class Rule(NamedTuple):
    """A rule and the strengths to choose from."""

    name: str
    threshold: Callable[[FloatArray, float], float]
    strengths: Sequence[float]


def spreads(scores: FloatArray, times: float) -> float:
    """So many root mean squares of the lower half above the median."""
    return float(np.median(scores)) + times * lower_spread(scores)


def logarithmic_spreads(scores: FloatArray, times: float) -> float:
    """The same in logarithms of the scores."""
    return exp(spreads(np.log(scores), times))


def mode_spreads(scores: FloatArray, times: float) -> float:
    """Root mean squares below the half-sample mode (Robertson and Cryer 1974) above it."""
    left = np.sort(scores)
    while len(left) > 2:
        half = (len(left) + 1) // 2
        first = int(np.argmin(left[half - 1 :] - left[: len(left) - half + 1]))
        left = left[first : first + half]
    mode = float(left.mean())
    below = scores[scores <= mode] - mode
    return mode + times * float(np.sqrt(np.mean(below**2)))


def spreads_by_size(scores: FloatArray, times: float) -> float:
    """Lower spreads, more of them in smaller lots."""
    return spreads(scores, times + SMALL_LOT / sqrt(len(scores)))


def spreads_and_top(scores: FloatArray, times: float) -> float:
    """Lower spreads by the size of the lot, and at least the highest 3 % of it: what `musc` does."""
    count = int(0.03 * len(scores) + 0.5)
    return min(spreads_by_size(scores, times), float(np.sort(scores)[-count]) if count else inf)


def quartiles(scores: FloatArray, times: float) -> float:
    """Quartile ranges above the upper quartile (Tukey's boxplot)."""
    lower, upper = np.quantile(scores, [0.25, 0.75])
    return float(upper + times * (upper - lower))


def absolute_deviations(scores: FloatArray, times: float) -> float:
    """Scaled median absolute deviations above the median."""
    median = float(np.median(scores))
    return median + times * 1.4826 * float(np.median(np.abs(scores - median)))


def adjusted_boxplot(scores: FloatArray, times: float) -> float:
    """The boxplot adjusted for skewness by the medcouple (Hubert and Vandervieren 2008)."""
    lower, upper = np.quantile(scores, [0.25, 0.75])
    skewness = medcouple(scores)
    return float(upper + times * exp((3 if skewness >= 0 else 4) * skewness) * (upper - lower))


def medcouple(scores: FloatArray) -> float:
    """Median of how much further each score above the median lies from it than each below (Brys et al. 2004)."""
    median = np.median(scores)
    above, below = scores[scores >= median] - median, median - scores[scores <= median]
    sums = above[:, None] + below[None, :]
    return float(np.median(np.where(sums > 0, (above[:, None] - below[None, :]) / np.where(sums > 0, sums, 1), 0)))


def gamma_of_lower_half(scores: FloatArray, strength: float) -> float:
    """A gamma distribution with the lower quartile and median; the score of an upper share of exp(−strength)."""
    quartile, median = np.quantile(scores, [0.25, 0.5])

    def ratio(logarithm: float) -> float:
        shape = exp(logarithm)
        return float(gamma.ppf(0.25, shape) / gamma.ppf(0.5, shape) - quartile / median)

    shape = exp(brentq(ratio, log(0.5), log(1e6))) if ratio(log(1e6)) > 0 else 1e6
    return float(median * gamma.isf(exp(-strength), shape) / gamma.median(shape))


def extreme_value_of_bulk(scores: FloatArray, strength: float) -> float:
    """A generalized extreme value distribution with the 20, 50 and 80 % quantiles: its shape is fitted."""
    low, middle, high = np.quantile(scores, [0.2, 0.5, 0.8])
    wanted = (high - middle) / max(middle - low, 1e-12)

    def excess(shape: float) -> float:
        first, second, third = (extreme_quantile(probability, shape) for probability in (0.2, 0.5, 0.8))
        return (third - second) / (second - first) - wanted

    shape = brentq(excess, -2, 2) if excess(-2) < 0 < excess(2) else 0.0
    return extreme_value(middle - low, float(middle), shape, strength)


def extreme_value_of_given_shape(scores: FloatArray, strength: float) -> float:
    """The same of shape 0.1, as chosen on bottles before, with the 20 and 50 % quantiles of the scores."""
    low, middle = np.quantile(scores, [0.2, 0.5])
    return extreme_value(middle - low, float(middle), 0.1, strength)


def extreme_value(lower: float, middle: float, shape: float, strength: float) -> float:
    """The score of an upper share of exp(−strength), given the distance from the 20 % quantile to the median."""
    scale = lower / (extreme_quantile(0.5, shape) - extreme_quantile(0.2, shape))
    return float(middle + scale * (extreme_quantile(1 - exp(-strength), shape) - extreme_quantile(0.5, shape)))


def extreme_quantile(probability: float, shape: float) -> float:
    """Of location 0 and scale 1."""
    reduced = -log(-log(probability))
    return (exp(shape * reduced) - 1) / shape if abs(shape) > 1e-9 else reduced


def false_discoveries(scores: FloatArray, strength: float) -> float:
    """An empirical null of the lower half (Efron 2004) and the procedure of Benjamini and Hochberg (1995)."""
    ordered = np.sort(scores)[::-1]
    p_values = norm.sf((ordered - np.median(scores)) / lower_spread(scores))
    passed = np.flatnonzero(p_values <= exp(-strength) * np.arange(1, len(scores) + 1) / len(scores))
    return float(ordered[passed[-1]]) if len(passed) else inf


def percentile_times(scores: FloatArray, strength: float) -> float:
    """The 95 % quantile times a factor, 1.421 in SuperADD."""
    return float(np.quantile(scores, 0.95)) * strength


SPREADS, SHARES = tuple(np.arange(1, 8, 0.25)), tuple(np.arange(1, 12, 0.5))
RULES = (
    Rule("lower spreads by size, and the top 3 % (chosen)", spreads_and_top, tuple(np.arange(0.5, 6, 0.25))),
    Rule("lower spreads by size", spreads_by_size, tuple(np.arange(0.5, 6, 0.25))),
    Rule("lower spreads", spreads, SPREADS),
    Rule("lower spreads of logarithms", logarithmic_spreads, SPREADS),
    Rule("spreads below the half-sample mode", mode_spreads, SPREADS),
    Rule("scaled median absolute deviations", absolute_deviations, SPREADS),
    Rule("quartile ranges", quartiles, tuple(np.arange(0, 4, 0.125))),
    Rule("adjusted boxplot", adjusted_boxplot, tuple(np.arange(0, 3, 0.125))),
    Rule("gamma of the lower half", gamma_of_lower_half, SHARES),
    Rule("extreme value, shape of the bulk", extreme_value_of_bulk, SHARES),
    Rule("extreme value, shape 0.1", extreme_value_of_given_shape, SHARES),
    Rule("empirical null, Benjamini–Hochberg", false_discoveries, tuple(np.arange(0.5, 15, 0.5))),
    Rule("95 % quantile times a factor", percentile_times, tuple(np.arange(0.9, 1.5, 0.0125))),
)
