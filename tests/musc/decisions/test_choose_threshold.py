"""The lot's own rule: thresholds, p-values and what they rest on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musc.decisions.choose_threshold import MIN_IMAGES, LotDecision, lot_thresholds
from musc.decisions.decision_words import Basis

GOOD = np.random.default_rng(3).normal(0.5, 0.02, 60)
LOTS: dict[str, np.ndarray] = {
    "clean": GOOD,
    "with defects": np.append(GOOD, [0.6, 0.61, 0.9]),
    "two groups": np.r_[GOOD[:20], GOOD + 0.4],
    "tiny": GOOD[:5],
    "equal": np.full(12, 0.3),
    "skewed": np.random.default_rng(4).exponential(size=35),
    "ties": np.round(GOOD, 2),
}

KNOWN: dict[Basis, dict[str, Any]] = {
    Basis.GOOD: {"good_scores": GOOD[:20]},
    Basis.NIGHTS: {"earlier_nights": [GOOD[:50], GOOD[10:] + 0.1, 2 * GOOD]},
}


def decide(name: str, **more: Any) -> LotDecision:
    return lot_thresholds(LOTS[name], **more)


def test_suspects_are_what_stands_out_above_the_lower_half() -> None:
    scores = LOTS["with defects"]
    found = decide("with defects")
    assert (scores[-3:] >= found.suspect_threshold).all()
    assert (scores[:-3] >= found.suspect_threshold).mean() <= 0.05
    assert scores[-1] >= found.flag_threshold > scores[-2]
    assert (found.basis, found.reference_count, found.remark) == (Basis.LOT, 63, "")


@pytest.mark.parametrize("name", LOTS)
@pytest.mark.parametrize("suspects", [0.0, 0.01, 0.03, 0.2])
@pytest.mark.parametrize("basis", Basis)
def test_thresholds_are_in_order_and_p_values_fall_with_the_score(name: str, suspects: float, basis: Basis) -> None:
    found, scores = decide(name, suspects=suspects, **KNOWN.get(basis, {})), LOTS[name]
    assert found.suspect_threshold <= found.flag_threshold
    p_values = found.p_values[np.argsort(scores, kind="stable")]
    assert (np.diff(p_values) <= 0).all()
    assert 0 < p_values.min() <= p_values.max() <= 1
    assert len(set(zip(scores, found.p_values, strict=True))) == len(set(scores)), "equal scores, equal p-values"


@pytest.mark.parametrize("name", LOTS)
def test_no_list_at_a_share_of_0(name: str) -> None:
    found = decide(name, suspects=0)
    assert found.suspect_threshold == found.flag_threshold
    np.testing.assert_array_equal(found.p_values, decide(name).p_values)


@pytest.mark.parametrize("name", LOTS)
@pytest.mark.parametrize("basis", Basis)
def test_larger_share_never_lists_fewer(name: str, basis: Basis) -> None:
    found = [decide(name, suspects=share, **KNOWN.get(basis, {})) for share in (0, 0.001, 0.01, 0.03, 0.1, 0.3)]
    listed = [(LOTS[name] >= one.suspect_threshold).sum() for one in found]
    assert listed == sorted(listed)


@given(st.sampled_from(sorted(LOTS)), st.floats(0.01, 100), st.floats(-5, 5))
@settings(max_examples=40, deadline=None)
def test_thresholds_move_with_unit_and_zero(name: str, scale: float, shift: float) -> None:
    found, moved = decide(name), lot_thresholds(scale * LOTS[name] + shift)
    for before, after in (
        (found.suspect_threshold, moved.suspect_threshold),
        (found.flag_threshold, moved.flag_threshold),
    ):
        assert after == pytest.approx(scale * before + shift, rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(moved.p_values, found.p_values, rtol=1e-5)


@pytest.mark.parametrize("name", LOTS)
def test_order_of_images_does_not_matter(name: str) -> None:
    order = np.random.default_rng(1).permutation(len(LOTS[name]))
    found, moved = decide(name), lot_thresholds(LOTS[name][order])
    assert (moved.suspect_threshold, moved.flag_threshold) == (found.suspect_threshold, found.flag_threshold)
    np.testing.assert_array_equal(moved.p_values, found.p_values[order])


@pytest.mark.parametrize("count", range(1, MIN_IMAGES))
def test_lot_too_small_to_judge_lists_its_highest_score_and_says_so(count: int) -> None:
    scores = np.arange(1.0, count + 1)
    found = lot_thresholds(scores)
    assert (scores >= found.suspect_threshold).sum() == 1
    assert found.flag_threshold == np.inf
    assert "too few images" in found.remark


def test_equal_scores_are_all_listed_and_said_to_be_equal() -> None:
    found = decide("equal")
    assert (LOTS["equal"] >= found.suspect_threshold).all()
    assert "too many equal scores" in found.remark


def test_lot_in_which_nothing_stands_out_lists_the_share_from_the_top_and_says_so() -> None:
    scores = np.linspace(0.4, 0.5, 100)
    found = lot_thresholds(scores)
    assert (scores >= found.suspect_threshold).sum() == 3
    assert found.remark == (
        "No image stands out from the others more than good ones may: suspect are only the highest scores, "
        "3% of the lot."
    )


def test_two_groups_are_named_and_the_higher_one_is_suspect() -> None:
    found = decide("two groups")
    listed = LOTS["two groups"] >= found.suspect_threshold
    assert listed[20:].all()
    assert not listed[:20].any()
    assert found.remark.startswith("Two groups: 20 and 60 images.")
    assert found.reference_count == 20
    assert decide("two groups", suspects=0).remark == found.remark, "said though nothing is suspect"


def test_group_far_above_the_lower_one_is_flagged_by_the_lower_ones_own_spread() -> None:
    rng = np.random.default_rng(4)
    found = lot_thresholds(np.r_[rng.normal(0.2, 0.01, 56), rng.normal(0.6, 0.03, 8)])
    assert found.remark.startswith("Two groups: 56 and 8 images.")
    assert 0.2 < found.flag_threshold < 0.5
    assert (found.p_values[56:] < 1e-6).all()


CLEAN: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, count: rng.normal(size=count),
    "gamma": lambda rng, count: rng.gamma(4, size=count),
    "Weibull": lambda rng, count: rng.weibull(2, size=count),
}


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("count", [10, 40, 100, 400])
def test_share_of_good_parts_listed_in_clean_lots_is_about_what_is_stated(name: str, count: int) -> None:
    rng = np.random.default_rng(count)
    lots = [CLEAN[name](rng, count) for _ in range(100)]
    listed = np.mean([(lot >= lot_thresholds(lot).suspect_threshold).mean() for lot in lots])
    assert listed <= 0.065


@pytest.mark.parametrize("good", [10, 20, 32, 40])
def test_known_good_parts_decide_and_say_what_they_cannot_promise(good: int) -> None:
    found = lot_thresholds(LOTS["with defects"], good_scores=GOOD[:good])
    assert (found.basis, found.reference_count) == (Basis.GOOD, good)
    assert (f"no less than 1 good part in {good + 1} on" in found.remark) == (1 / (good + 1) > 0.03)
    assert (LOTS["with defects"][-3:] >= found.suspect_threshold).all()


def test_too_few_known_good_parts_leave_the_decision_to_the_lot() -> None:
    assert lot_thresholds(GOOD, good_scores=GOOD[: MIN_IMAGES - 1]).basis is Basis.LOT


def test_known_good_parts_decide_a_lot_of_one() -> None:
    assert lot_thresholds(np.array([0.5]), good_scores=GOOD).suspect_threshold > 0.5
    assert lot_thresholds(np.array([0.9]), good_scores=GOOD).flag_threshold <= 0.9


@pytest.mark.parametrize("scores", [[], [[0.1]], [0.1, np.nan]])
def test_scores_that_are_none_are_refused(scores: list[Any]) -> None:
    with pytest.raises(ValueError, match="raw_scores must be finite scores on one axis"):
        lot_thresholds(np.array(scores))
