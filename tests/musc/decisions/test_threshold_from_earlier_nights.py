"""Earlier nights show how far up good parts reach, whatever their light, and without a label."""

from collections.abc import Callable

import numpy as np
import pytest

from musc.decisions.choose_threshold import Basis, lot_thresholds
from musc.decisions.threshold_from_earlier_nights import (
    MIN_SCORES,
    MOST_DEFECTIVE,
    height_at,
    heights_of_good_parts,
    usual_nights,
)
from musc.decisions.threshold_from_scores import USUAL_SHARE, lower_spread, reach_of

GOOD: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "short tail": lambda rng, count: rng.weibull(5, size=count),
    "normal": lambda rng, count: rng.normal(size=count),
    "skewed": lambda rng, count: rng.gamma(4, size=count),
    "long tail": lambda rng, count: np.exp(0.5 * rng.normal(size=count)),
}


def night(rng: np.random.Generator, name: str, good: int, defects: int = 0) -> np.ndarray:
    """Scores of a night with a unit and a zero of its own; defects lie beyond most good parts."""
    scores = GOOD[name](rng, good)
    bad = np.quantile(scores, 0.97) + scores.std() * rng.uniform(1, 4, size=defects)
    return np.asarray(rng.uniform(0.5, 2) * np.r_[scores, bad] + rng.uniform(-1, 1))


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(("nights", "defects"), [(3, 2), (10, 2), (10, 0)])
def test_share_of_good_parts_listed_is_within_two_points_of_what_is_stated(
    name: str, nights: int, defects: int
) -> None:
    rng = np.random.default_rng(nights)
    listed = []
    for _ in range(60):
        earlier = [night(rng, name, 40 - defects, defects) for _ in range(nights)]
        tonight = night(rng, name, 38, 2)
        found = lot_thresholds(tonight, earlier_nights=earlier)
        if found.basis is Basis.NIGHTS:
            listed.append((tonight[:38] >= found.suspect_threshold).mean())
    assert len(listed) > 40
    assert np.mean(listed) == pytest.approx(USUAL_SHARE, abs=0.02)


def test_heights_are_measured_from_the_median_in_units_of_each_nights_reach() -> None:
    rng = np.random.default_rng(0)
    nights = [rng.normal(place, 0.02, size=40) for place in (0.4, 0.5, 0.6)]
    expected = []
    for scores in nights:
        reach = reach_of(scores)
        assert reach is not None
        expected += [(score - reach.centre) / reach.height for score in scores]
    left = heights_of_good_parts(nights)
    assert len(left) >= len(expected) * (1 - MOST_DEFECTIVE)
    np.testing.assert_allclose(left, sorted(expected)[: len(left)])


@pytest.mark.parametrize("count", [MIN_SCORES - 1, MIN_SCORES])
def test_nights_decide_from_a_hundred_scores_on(count: int) -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=count)
    nights = [scores[:50], scores[50:]]
    found = lot_thresholds(rng.normal(size=40), earlier_nights=nights)
    assert found.basis is (Basis.NIGHTS if count == MIN_SCORES else Basis.LOT)
    assert found.reference_count == (40 if count < MIN_SCORES else len(heights_of_good_parts(nights)))


def test_unit_and_zero_of_earlier_nights_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    nights, tonight = [rng.gamma(4, size=50) for _ in range(4)], rng.gamma(4, size=40)
    found = lot_thresholds(tonight, earlier_nights=nights)
    moved = lot_thresholds(tonight, earlier_nights=[2 * scores + shift for shift, scores in enumerate(nights)])
    assert moved.suspect_threshold == pytest.approx(found.suspect_threshold)
    np.testing.assert_allclose(moved.p_values, found.p_values)


def test_unusual_nights_are_left_out() -> None:
    rng = np.random.default_rng(3)
    usual = [rng.normal(0.5, 0.02, size=40) for _ in range(4)]
    mostly_defective = np.r_[rng.normal(0.5, 0.02, 15), rng.normal(0.9, 0.03, 25)]
    shaken = rng.normal(0.5, 0.2, size=40)
    tiny, equal = np.array([0.4, 0.5]), np.full(40, 0.3)
    kept = usual_nights([usual[0], mostly_defective, shaken, *usual[1:], tiny, equal])
    assert [lower_spread(scores) for scores in kept] == [lower_spread(scores) for scores in usual]


def test_more_nights_make_the_share_listed_steadier() -> None:
    rng = np.random.default_rng(4)
    lines: dict[int, list[float]] = {3: [], 12: []}
    for _ in range(40):
        for count, found in lines.items():
            found.append(height_at(heights_of_good_parts([rng.gamma(4, size=40) for _ in range(count)]), USUAL_SHARE))
    assert np.std(lines[12]) < 0.7 * np.std(lines[3])


def test_p_values_of_good_parts_are_uniform_by_earlier_nights() -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(100):
        earlier, tonight = [rng.gamma(4, size=40) for _ in range(5)], rng.gamma(4, size=40)
        decision = lot_thresholds(tonight, earlier_nights=earlier)
        if decision.basis is Basis.NIGHTS:
            found.append(decision.p_values)
    together = np.concatenate(found)
    for share in (0.1, 0.3, 0.5, 0.8):
        assert (together <= share).mean() == pytest.approx(share, abs=0.04)


def test_known_good_parts_come_before_earlier_nights() -> None:
    rng = np.random.default_rng(6)
    nights = [rng.normal(size=60) for _ in range(3)]
    assert lot_thresholds(nights[0], good_scores=nights[1], earlier_nights=nights).basis is Basis.GOOD
