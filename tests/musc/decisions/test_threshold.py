"""The decision rule: what it flags, what it refuses to, and how often it errs on lots whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import genextreme

from musc.decisions.threshold import (
    ALIKE,
    CLEAN_LOTS_FLAGGED,
    FIXED,
    GUMBEL,
    MAX_ANOMALOUS,
    MIN_IMAGES,
    SHAPE,
    Decisions,
    clean_lot,
    decide,
    fit_bulk,
    standard_quantiles,
)

SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, count: rng.normal(size=count),
    "extreme value": lambda rng, count: extreme_values(rng, count),
    "gamma": lambda rng, count: rng.gamma(4, size=count),
}


def extreme_values(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws from the rule's own distribution, by scipy, whose shape has the other sign."""
    return np.asarray(genextreme.rvs(-SHAPE, size=count, random_state=rng))


def lot(good: int, defects: int, seed: int = 0, shape: str = "extreme value") -> np.ndarray:
    """Good scores, then defects far beyond them, as distances look."""
    rng = np.random.default_rng(seed)
    return np.r_[0.5 + 0.01 * SHAPES[shape](rng, good), rng.uniform(0.75, 0.95, defects)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("good", "defects"), [(11, 1), (47, 3), (90, 23), (210, 90)])
def test_defects_far_from_the_bulk_are_flagged(good: int, defects: int, shape: str) -> None:
    decision = decide(lot(good, defects, shape=shape))
    assert decision.separable
    assert decision.flagged[good:].all()
    assert decision.flagged[:good].sum() <= 3
    np.testing.assert_array_equal(decision.flagged, lot(good, defects, shape=shape) >= decision.threshold)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("image_count", [10, 40, 150])
def test_clean_lots_are_rarely_flagged(image_count: int, shape: str) -> None:
    flagged = [decide(lot(image_count, 0, seed, shape)).flagged.any() for seed in range(100)]
    assert np.mean(flagged) <= CLEAN_LOTS_FLAGGED + 0.06


def test_not_separable_lot_flags_nothing_and_says_so() -> None:
    decision = decide(lot(40, 0, seed=3))
    assert not decision.separable
    assert np.isnan(decision.threshold)
    assert not decision.flagged.any()
    assert decision.labels == ["accepted"] * 40
    assert "Not separable" in decision.warnings[0]


@pytest.mark.parametrize("false_alarms", [0.2, 1.0, 3.0])
def test_false_alarms_are_as_many_as_stated(false_alarms: float) -> None:
    rule = Decisions(false_alarms=false_alarms)
    counts = [decide(lot(95, 5, seed), rule).flagged[:95].sum() for seed in range(120)]
    assert np.mean(counts) == pytest.approx(false_alarms * 95 / 100, rel=0.45)


def test_more_false_alarms_never_flag_fewer() -> None:
    counts = [decide(lot(60, 6), Decisions(false_alarms=number)).flagged.sum() for number in (0.1, 0.5, 2, 10)]
    assert counts == sorted(counts)


@given(st.integers(0, 50), st.floats(0.001, 50), st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_decisions_do_not_depend_on_unit_and_zero(seed: int, scale: float, shift: float) -> None:
    scores = lot(30, 3, seed)
    np.testing.assert_array_equal(decide(scale * scores + shift).flagged, decide(scores).flagged)


def test_decisions_follow_the_images_when_they_are_permuted() -> None:
    scores = lot(40, 5)
    order = np.random.default_rng(1).permutation(45)
    np.testing.assert_array_equal(decide(scores[order]).flagged, decide(scores).flagged[order])


@pytest.mark.parametrize("image_count", range(1, MIN_IMAGES))
def test_tiny_lot_flags_nothing_and_says_why(image_count: int) -> None:
    decision = decide(lot(image_count - 1, 1))
    assert not decision.flagged.any()
    assert f"Only {image_count} image" in decision.warnings[0]
    assert ("image was" in decision.warnings[0]) == (image_count == 1)


@pytest.mark.parametrize(("largest", "alike"), [(ALIKE * 0.9, True), (ALIKE, False)])
def test_blank_images_are_told(largest: float, alike: bool) -> None:
    decision = decide(np.r_[np.linspace(0, ALIKE / 2, 20), largest])
    assert any("All images look the same" in text for text in decision.warnings) == alike


@pytest.mark.parametrize("image_count", [2, 8, 10])
def test_equal_scores_flag_nothing(image_count: int) -> None:
    assert not decide(np.full(image_count, 0.25)).flagged.any()


def test_fixed_threshold_holds_whatever_the_lot() -> None:
    decision = decide(np.array([0.2, 0.31, 0.3]), Decisions(threshold=0.3))
    assert decision.flagged.tolist() == [False, True, True]
    assert (decision.name, decision.separable, decision.threshold) == (FIXED, True, 0.3)


def test_fixed_threshold_above_all_flags_nothing_without_a_warning() -> None:
    decision = decide(np.array([0.2, 0.31]), Decisions(threshold=0.9))
    assert not decision.flagged.any()
    assert decision.warnings == ()


@pytest.mark.parametrize("budget", [1, 2, 4])
def test_review_budget_keeps_the_most_anomalous(budget: int) -> None:
    scores = lot(40, 5)
    decision = decide(scores, Decisions(review_budget=budget))
    assert set(np.flatnonzero(decision.flagged)) == set(np.argsort(-scores)[:budget])
    assert decision.threshold == scores[decision.flagged].min(), "the threshold is that of a flagged image"
    np.testing.assert_array_equal(decision.flagged, scores >= decision.threshold)
    assert decision.above_count >= 5
    assert "review budget" in decision.warnings[-1]


def test_review_budget_that_suffices_changes_nothing() -> None:
    plain, within = decide(lot(40, 5)), decide(lot(40, 5), Decisions(review_budget=20))
    assert within.threshold == plain.threshold
    assert within.warnings == plain.warnings


def test_review_budget_leaves_ties_out_together() -> None:
    decision = decide(np.array([0.1, 0.5, 0.5, 0.9]), Decisions(threshold=0.4, review_budget=2))
    assert decision.flagged.tolist() == [False, False, False, True]
    none = decide(np.array([0.1, 0.5, 0.5]), Decisions(threshold=0.4, review_budget=1))
    assert (none.flagged.any(), none.threshold > 0.5) == (False, True)


def test_many_anomalous_images_put_the_method_in_doubt() -> None:
    scores = np.r_[np.full(10, 0.1), np.full(9, 0.8)]
    assert MAX_ANOMALOUS < 9 / 19
    decision = decide(scores, Decisions(threshold=0.5))
    assert "9 of 19 images look anomalous" in decision.warnings[0]


def test_many_anomalous_images_put_the_method_in_doubt_whatever_the_budget() -> None:
    scores = np.r_[np.full(10, 0.1), np.linspace(0.8, 0.9, 9)]
    decision = decide(scores, Decisions(threshold=0.5, review_budget=2))
    assert decision.flagged.sum() == 2
    assert "9 of 19 images look anomalous" in decision.warnings[0]


def test_fit_finds_the_parameters_of_its_own_distribution() -> None:
    sample = np.sort(0.4 + 0.02 * extreme_values(np.random.default_rng(0), 4000))
    location, scale = fit_bulk(sample)
    assert location == pytest.approx(0.4, abs=0.001)
    assert scale == pytest.approx(0.02, rel=0.05)


def test_fit_is_hardly_bent_by_defects() -> None:
    good = 0.4 + 0.02 * extreme_values(np.random.default_rng(0), 300)
    location, scale = fit_bulk(np.sort(np.r_[good, np.random.default_rng(1).uniform(0.6, 0.9, 75)]))
    assert location == pytest.approx(0.4, abs=0.004)
    assert scale == pytest.approx(0.02, rel=0.25)


def test_quantiles_are_those_of_the_distribution() -> None:
    levels = np.linspace(0.01, 0.99, 17)
    for shape in (SHAPE, GUMBEL, 0.3):
        np.testing.assert_allclose(standard_quantiles(levels, shape), genextreme.ppf(levels, -shape))


def test_levels_of_a_clean_lot_approach_the_known_distribution() -> None:
    level, largest = clean_lot(3000, 3.0)
    assert level == pytest.approx(standard_quantiles(0.999), rel=0.05)
    assert largest == pytest.approx(standard_quantiles((1 - CLEAN_LOTS_FLAGGED) ** (1 / 3000)), rel=0.08)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"false_alarms": 0}, "false_alarms must be greater than 0, got 0"),
        ({"false_alarms": float("nan")}, "false_alarms must be a finite number, got nan"),
        ({"review_budget": 0}, "review_budget must be greater than or equal to 1, got 0; leave it out for its default"),
        ({"threshold": -0.1}, r"threshold must be greater than or equal to 0, got -0\.1"),
    ],
)
def test_rule_refuses(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Decisions(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("scores", [np.array([]), np.zeros((2, 2)), np.array([0.1, np.nan])], ids=str)
def test_decide_refuses_what_are_no_scores(scores: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"raw_scores must be finite scores on one axis \(N,\)"):
        decide(scores)
