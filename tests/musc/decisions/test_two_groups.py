"""Two groups of scores are recognised, and one skewed group is not taken for two."""

from collections.abc import Callable
from math import log, pi

import numpy as np
import pytest

from musc.decisions.two_groups import LEAST_WIDTH, SMALLEST, best_split, find_humps

ONE_GROUP: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, count: rng.normal(size=count),
    "gamma": lambda rng, count: rng.gamma(4, size=count),
    "log-normal": lambda rng, count: np.exp(0.5 * rng.normal(size=count)),
    "exponential": lambda rng, count: rng.exponential(size=count),
    "Weibull": lambda rng, count: rng.weibull(5, size=count),
    "even": lambda rng, count: rng.random(count),
    "heavy": lambda rng, count: rng.standard_t(3, size=count),
}


@pytest.mark.parametrize("name", ONE_GROUP)
@pytest.mark.parametrize("count", [10, 40, 150])
def test_one_group_is_rarely_taken_for_two(name: str, count: int) -> None:
    rng = np.random.default_rng(count)
    found = [find_humps(ONE_GROUP[name](rng, count)) is not None for _ in range(100)]
    assert np.mean(found) <= 0.03


@pytest.mark.parametrize(("lower", "upper"), [(20, 63), (24, 16), (12, 8), (300, 100)])
def test_two_groups_are_recognised_with_their_sizes(lower: int, upper: int) -> None:
    rng = np.random.default_rng(lower)
    for _ in range(20):
        humps = find_humps(np.r_[rng.normal(0.42, 0.02, lower), rng.normal(0.74, 0.04, upper)])
        assert humps is not None
        assert (humps.lower_count, humps.upper_count) == (lower, upper)
        assert humps.boundary == pytest.approx(0.58, abs=0.03)


def test_split_is_the_most_likely_one_in_plain_loops() -> None:
    rng = np.random.default_rng(2)
    ordered = np.sort(np.r_[rng.normal(0, 1, 9), rng.normal(6, 2, 12)])
    least = LEAST_WIDTH**2 * float(np.mean((ordered - ordered.mean()) ** 2))
    best = (-np.inf, 0.0, 0.0)
    for lower in range(SMALLEST, 21 - SMALLEST + 1):
        likelihood, means, variances = 0.0, [], []
        for group in (ordered[:lower].tolist(), ordered[lower:].tolist()):
            mean = sum(group) / len(group)
            variance = max(least, sum((score - mean) ** 2 for score in group) / len(group))
            for score in group:
                likelihood += log(len(group) / 21) - 0.5 * log(2 * pi * variance) - (score - mean) ** 2 / 2 / variance
            means.append(mean)
            variances.append(variance)
        best = max(best, (likelihood, (means[1] - means[0]) / (sum(variances) / 2) ** 0.5, sum(means) / 2))
    np.testing.assert_allclose(best_split(ordered, SMALLEST), best)


@pytest.mark.parametrize("scores", [[0.3] * 20, [0.1] * 3 + [0.9] * 3, [0.5]])
def test_groups_are_not_sought_in_equal_or_few_scores(scores: list[float]) -> None:
    assert find_humps(np.array(scores)) is None


def test_groups_do_not_depend_on_unit_and_zero() -> None:
    scores = np.r_[np.linspace(0.4, 0.45, 20), np.linspace(0.6, 0.9, 60)]
    humps, moved = find_humps(scores), find_humps(1000 * scores + 3)
    assert humps is not None
    assert moved is not None
    assert moved.boundary == pytest.approx(1000 * humps.boundary + 3)
    assert moved.upper_count == humps.upper_count
