"""The three decisions: what is listed, what is refused, and how often it errs on lots whose truth is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import genextreme

from musc.decisions.choose_threshold import MIN_IMAGES
from musc.decisions.decide_images import ALIKE, MAX_ANOMALOUS, decide_images, standing_thresholds
from musc.decisions.decision_words import Basis, Decision
from musc.settings import Decisions

SHAPE = 0.1
"""Of extreme values with a heavy upper tail, as good parts with dust and reflections have."""
SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, count: rng.normal(size=count),
    "extreme value": lambda rng, count: extreme_values(rng, count),
    "gamma": lambda rng, count: rng.gamma(4, size=count),
}


def extreme_values(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws from the generalized extreme value distribution, by scipy, whose shape has the other sign."""
    return np.asarray(genextreme.rvs(-SHAPE, size=count, random_state=rng))


def lot(good: int, defects: int, seed: int = 0, shape: str = "extreme value") -> np.ndarray:
    """Good scores, then defects far beyond them, as distances look."""
    rng = np.random.default_rng(seed)
    return np.r_[0.5 + 0.01 * SHAPES[shape](rng, good), rng.uniform(0.75, 0.95, defects)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("good", "defects"), [(11, 1), (47, 3), (90, 23), (210, 90)])
def test_defects_far_from_the_bulk_are_listed(good: int, defects: int, shape: str) -> None:
    decision = decide_images(lot(good, defects, shape=shape))
    assert decision.listed[good:].all()
    assert decision.flagged[:good].sum() <= 3
    np.testing.assert_array_equal(decision.flagged, lot(good, defects, shape=shape) >= decision.flag_threshold)


def test_lot_without_anything_that_stands_out_flags_nothing() -> None:
    decision = decide_images(lot(40, 0, seed=3))
    assert decision.flag_threshold == np.inf
    assert not decision.flagged.any()


def test_lot_in_which_nothing_is_listed_says_that_this_is_no_proof() -> None:
    decision = decide_images(lot(40, 0, seed=3), Decisions(suspects=0))
    assert set(decision.decisions) == {Decision.ACCEPTED}
    assert "Not separable" in decision.warnings[0]


def test_more_false_alarms_never_flag_fewer() -> None:
    counts = [decide_images(lot(60, 6), Decisions(false_alarms=number)).flagged.sum() for number in (0.1, 0.5, 2, 10)]
    assert counts == sorted(counts)


@given(st.integers(0, 50), st.floats(0.001, 50), st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_decisions_do_not_depend_on_unit_and_zero(seed: int, scale: float, shift: float) -> None:
    scores = lot(30, 3, seed)
    np.testing.assert_array_equal(decide_images(scale * scores + shift).flagged, decide_images(scores).flagged)


def test_decisions_follow_the_images_when_they_are_permuted() -> None:
    scores = lot(40, 5)
    order = np.random.default_rng(1).permutation(45)
    np.testing.assert_array_equal(decide_images(scores[order]).flagged, decide_images(scores).flagged[order])


@pytest.mark.parametrize("image_count", range(1, MIN_IMAGES))
def test_tiny_lot_flags_nothing_and_says_why(image_count: int) -> None:
    decision = decide_images(lot(image_count - 1, 1))
    assert not decision.flagged.any()
    assert f"Only {image_count} image" in decision.warnings[0]
    assert ("image was" in decision.warnings[0]) == (image_count == 1)


@pytest.mark.parametrize(("largest", "alike"), [(ALIKE * 0.9, True), (ALIKE, False)])
def test_blank_images_are_told(largest: float, alike: bool) -> None:
    decision = decide_images(np.r_[np.linspace(0, ALIKE / 2, 20), largest])
    assert any("All images look the same" in text for text in decision.warnings) == alike


@pytest.mark.parametrize("image_count", [2, 8, 10])
def test_equal_scores_flag_nothing(image_count: int) -> None:
    assert not decide_images(np.full(image_count, 0.25)).flagged.any()


def test_fixed_threshold_holds_whatever_the_lot() -> None:
    decision = decide_images(np.array([0.2, 0.31, 0.3]), Decisions(threshold=0.3))
    assert decision.flagged.tolist() == [False, True, True]
    assert (decision.flag_basis, decision.flag_threshold) == (Basis.GIVEN, 0.3)


def test_fixed_threshold_above_all_flags_nothing_without_a_warning() -> None:
    decision = decide_images(np.array([0.2, 0.31]), Decisions(threshold=0.9, suspects=0))
    assert not decision.flagged.any()
    assert decision.warnings == ()


@pytest.mark.parametrize("budget", [1, 2, 4])
def test_review_budget_keeps_the_most_anomalous(budget: int) -> None:
    scores = lot(40, 5)
    decision = decide_images(scores, Decisions(review_budget=budget))
    assert set(np.flatnonzero(decision.listed)) == set(np.argsort(-scores)[:budget])
    assert decision.suspect_threshold == scores[decision.listed].min(), "the threshold is that of a listed image"
    np.testing.assert_array_equal(decision.listed, scores >= decision.suspect_threshold)
    assert decision.above_count >= 5
    assert "review budget" in decision.warnings[-1]


def test_review_budget_is_spent_on_flagged_images_before_suspect_ones() -> None:
    scores = np.r_[np.linspace(0.2, 0.3, 40), 0.5, 0.6, 0.8, 0.9]
    whole = decide_images(scores, Decisions(threshold=0.7))
    assert (whole.count(Decision.FLAGGED), whole.count(Decision.SUSPECT)) == (2, 2)
    within = decide_images(scores, Decisions(threshold=0.7, review_budget=3))
    assert (within.count(Decision.FLAGGED), within.count(Decision.SUSPECT)) == (2, 1)
    assert within.suspect_threshold == 0.6


def test_review_budget_that_suffices_changes_nothing() -> None:
    plain, within = decide_images(lot(40, 5)), decide_images(lot(40, 5), Decisions(review_budget=20))
    assert within.flag_threshold == plain.flag_threshold
    assert within.warnings == plain.warnings


def test_review_budget_leaves_ties_out_together() -> None:
    options = {"threshold": 0.4, "suspects": 0}
    decision = decide_images(np.array([0.1, 0.5, 0.5, 0.9]), Decisions(**options, review_budget=2))
    assert decision.flagged.tolist() == [False, False, False, True]
    none = decide_images(np.array([0.1, 0.5, 0.5]), Decisions(**options, review_budget=1))
    assert (none.flagged.any(), none.flag_threshold > 0.5) == (False, True)


def test_images_between_the_thresholds_are_suspect() -> None:
    scores = lot(40, 5)
    decision = decide_images(scores)
    low, high = decision.suspect_threshold, decision.flag_threshold
    expected = ["flagged" if score >= high else "suspect" if score >= low else "accepted" for score in scores]
    assert list(decision.decisions) == expected


def test_suspects_of_0_are_none() -> None:
    decision = decide_images(lot(40, 5), Decisions(suspects=0))
    assert decision.count(Decision.SUSPECT) == 0
    assert decision.suspect_threshold == decision.flag_threshold


def test_suspects_never_change_what_is_flagged() -> None:
    plain, without = decide_images(lot(40, 5)), decide_images(lot(40, 5), Decisions(suspects=0))
    np.testing.assert_array_equal(plain.flagged, without.flagged)


@pytest.mark.parametrize("given", ["3%", " 3 %", "0.03", 0.03])
def test_suspects_are_a_share_or_percent(given: Any) -> None:
    assert Decisions(suspects=given).suspects == pytest.approx(0.03)


@pytest.mark.parametrize("given", [3, "60%", -0.1])
def test_suspects_beyond_half_of_the_parts_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r"suspects must be a share of the good images from 0 to 0\.5, got .* or 3%"):
        Decisions(suspects=given)


def test_many_anomalous_images_put_the_method_in_doubt() -> None:
    scores = np.r_[np.full(10, 0.1), np.full(9, 0.8)]
    assert MAX_ANOMALOUS < 9 / 19
    decision = decide_images(scores, Decisions(threshold=0.5))
    assert any("9 of 19 images look anomalous" in text for text in decision.warnings)


def test_many_anomalous_images_put_the_method_in_doubt_whatever_the_budget() -> None:
    scores = np.r_[np.full(10, 0.1), np.linspace(0.8, 0.9, 9)]
    decision = decide_images(scores, Decisions(threshold=0.5, review_budget=2))
    assert decision.listed.sum() == 2
    assert any("9 of 19 images look anomalous" in text for text in decision.warnings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"false_alarms": 0}, "false_alarms must be greater than 0, got 0"),
        ({"false_alarms": float("nan")}, "false_alarms must be a finite number, got nan"),
        ({"review_budget": 0}, "review_budget must be greater than or equal to 1, got 0; leave it out for its default"),
        ({"threshold": float("inf")}, "threshold must be a finite number, got inf"),
    ],
)
def test_rule_refuses(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Decisions(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("scores", [np.array([]), np.zeros((2, 2)), np.array([0.1, np.nan])], ids=str)
def test_decide_refuses_what_are_no_scores(scores: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"raw_scores must be finite scores on one axis \(N,\)"):
        decide_images(scores)


def test_standing_thresholds_lie_beyond_the_good_parts_whatever_comes() -> None:
    good = lot(60, 0)
    flag, suspect = standing_thresholds(good, Decisions())
    assert good.max() < flag < np.inf
    assert np.median(good) < suspect <= flag
    assert standing_thresholds(good, Decisions(suspects=0)) == (flag, flag)


def test_standing_thresholds_of_too_few_good_parts_flag_nothing_unless_given() -> None:
    assert standing_thresholds(lot(MIN_IMAGES - 1, 0), Decisions()) == (np.inf, np.inf)
    assert standing_thresholds(np.empty(0), Decisions(threshold=0.4)) == (0.4, 0.4)


def test_standing_threshold_that_is_given_leaves_suspects_below_it() -> None:
    good = lot(60, 0)
    flag, suspect = standing_thresholds(good, Decisions(threshold=0.9))
    assert (flag, suspect) == (0.9, standing_thresholds(good, Decisions())[1])


def test_threshold_below_zero_flags_scores_from_there_on() -> None:
    scores = np.linspace(-0.05, 0.05, 11)
    assert decide_images(scores, Decisions(threshold=-0.021)).flag_threshold == -0.021
    assert decide_images(scores, Decisions(threshold=-0.021)).listed.sum() == 8
