"""Two groups in a lot's scores, such as good and defective parts where most are defective, or two variants of a part.

Two normal distributions are set against the best single one of any skewness, by the Bayesian information criterion
(Schwarz 1978). That compares like with like: a single group with a long tail is fitted better by one skewed
distribution, however well two normal ones fit it. The two must also be further apart than their own widths (Ashman,
Bird and Zepf 1994).
"""

from dataclasses import dataclass
from math import ceil, log, pi

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

GAIN = 6.0
"""Least difference of the information criterion: strong evidence on the scale of Kass and Raftery (1995)."""
DISTANCE = 3.0
"""Least distance of the two means, in root mean squares of the two standard deviations."""
SMALLEST, SMALLEST_SHARE = 4, 0.1
"""Images that each group holds at least, and part of the lot."""
LEAST_WIDTH = 0.1
"""Standard deviation of a group, as a fraction of the lot's, below which it counts as this: a few scores lie close
together by chance."""
SHIFTS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Where the log-normal distributions tried begin: so far beyond the outermost score, in ranges of the scores."""


@dataclass(frozen=True)
class Humps:
    """Two groups of scores."""

    boundary: float
    """Midway between the means of the two; a score at or above it belongs to the higher group."""
    lower_count: int
    upper_count: int


def find_humps(scores: FloatArray) -> Humps | None:
    """The two groups of a lot's scores, None where one group describes them as well.

    Args:
        scores: (N,), finite.
    """
    ordered = np.sort(scores)
    count = len(ordered)
    smallest = max(SMALLEST, ceil(SMALLEST_SHARE * count))
    if count < 2 * smallest or ordered[0] == ordered[-1]:
        return None
    two, distance, boundary = best_split(ordered, smallest)
    gain = 2 * (two - one_group(ordered)) - 2 * log(count)  # five numbers against three
    if gain <= GAIN or distance <= DISTANCE:
        return None
    lower = int(np.searchsorted(ordered, boundary, side="left"))
    return Humps(boundary, lower, count - lower)


def best_split(ordered: FloatArray, smallest: int) -> tuple[float, float, float]:
    """Two normal distributions, one of the lower and one of the higher scores, where they are most likely.

    Args:
        ordered: (N,), ascending, not all equal.
        smallest: scores in each group at least.

    Returns:
        Log-likelihood, distance of the means in root mean squares of the two standard deviations, and the middle of
        the means.
    """
    count = len(ordered)
    centred = ordered - ordered.mean()
    below = np.arange(smallest, count - smallest + 1)
    above = count - below
    sums, squares = np.cumsum(centred), np.cumsum(centred**2)
    low, high = sums[below - 1] / below, (sums[-1] - sums[below - 1]) / above
    least = LEAST_WIDTH**2 * centred.var()
    low_variance = squares[below - 1] / below - low**2
    high_variance = (squares[-1] - squares[below - 1]) / above - high**2
    likelihoods = sum(
        -0.5 * size * (np.log(2 * pi * np.maximum(variance, least)) + variance / np.maximum(variance, least))
        + size * np.log(size / count)
        for size, variance in ((below, low_variance), (above, high_variance))
    )
    best = int(np.argmax(likelihoods))
    width = float(np.sqrt((max(low_variance[best], least) + max(high_variance[best], least)) / 2))
    middle = float(ordered.mean() + (low[best] + high[best]) / 2)
    return float(likelihoods[best]), float(high[best] - low[best]) / width, middle


def one_group(ordered: FloatArray) -> float:
    """Log-likelihood of the best single distribution: normal, log-normal with a tail on either side, or even.

    Args:
        ordered: (N,), ascending, not all equal.
    """
    span = float(ordered[-1] - ordered[0])
    tried = [normal_likelihood(ordered), -len(ordered) * log(span)]
    for shift in SHIFTS:
        for offsets in (ordered - ordered[0], ordered[-1] - ordered):
            logarithms = np.log(offsets + shift * span)
            tried.append(normal_likelihood(logarithms) - float(logarithms.sum()))
    return max(tried)


def normal_likelihood(values: FloatArray) -> float:
    """Log-likelihood of values (N,), not all equal, under the normal distribution fitted to them."""
    return float(-0.5 * len(values) * (log(2 * pi * values.var()) + 1))
