"""The suggested threshold: its probabilities are those of the scores, its expectations come true, and it abstains."""

import numpy as np
import pytest

from musc.decisions.threshold_from_verdicts import MIN_OF_EACH, Calibration, calibrate, expected

SLOPE, INTERCEPT = 30.0, -15.0


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels that follow a logistic curve of them."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.3, 0.7, count)
    return scores, rng.random(count) < 1 / (1 + np.exp(-(SLOPE * scores + INTERCEPT)))


def test_curve_is_found_again() -> None:
    found = calibrate(*drawn(20_000, 0))
    assert found is not None
    assert found.slope == pytest.approx(SLOPE, rel=0.05)
    assert -found.intercept / found.slope == pytest.approx(0.5, abs=0.003)


def test_choosing_images_by_their_score_does_not_bias_the_curve() -> None:
    """People look at flagged images first."""
    scores, labels = drawn(20_000, 1)
    looked_at = scores > 0.45
    found = calibrate(scores[looked_at], labels[looked_at])
    assert found is not None
    assert found.threshold(1.0) == pytest.approx(0.5, abs=0.01)


def test_expected_false_alarms_and_misses_come_true() -> None:
    calibration = calibrate(*drawn(5_000, 2))
    assert calibration is not None
    scores, labels = drawn(5_000, 3)
    threshold = calibration.threshold()
    told, pulled = expected(calibration, scores, threshold), scores >= threshold
    assert told.pulled == pulled.sum()
    assert told.false_alarms == pytest.approx((pulled & ~labels).sum(), rel=0.1)
    assert told.misses == pytest.approx((~pulled & labels).sum(), rel=0.25)


@pytest.mark.parametrize("cost", [0.2, 1.0, 5.0, 50.0])
def test_no_other_threshold_costs_less(cost: float) -> None:
    """By plain search: the threshold minimises false alarms + cost · misses, as expected by the curve."""
    calibration = Calibration(SLOPE, INTERCEPT, 10, 10)
    scores = np.linspace(0.2, 0.8, 601)

    def total(threshold: float) -> float:
        told = expected(calibration, scores, threshold)
        return told.false_alarms + cost * told.misses

    best = min(total(threshold) for threshold in np.linspace(0.15, 0.85, 1401))
    assert total(calibration.threshold(cost)) == pytest.approx(best, abs=1e-6)


def test_separated_classes_give_a_finite_threshold_between_them() -> None:
    scores = np.r_[np.linspace(0.3, 0.4, 20), np.linspace(0.6, 0.7, 15)]
    found = calibrate(scores, scores > 0.5)
    assert found is not None
    assert 0.4 < found.threshold() < 0.6


def test_unit_of_the_scores_does_not_matter() -> None:
    scores, labels = drawn(500, 4)
    first, second = calibrate(scores, labels), calibrate(1000 * scores, labels)
    assert first is not None
    assert second is not None
    assert second.threshold() == pytest.approx(1000 * first.threshold(), rel=1e-3)


@pytest.mark.parametrize(("good", "bad"), [(MIN_OF_EACH - 1, 50), (50, MIN_OF_EACH - 1), (0, 0)])
def test_too_few_verdicts_suggest_nothing(good: int, bad: int) -> None:
    scores = np.r_[np.linspace(0.3, 0.5, good), np.linspace(0.4, 0.6, bad)]
    assert calibrate(scores, np.r_[np.zeros(good, bool), np.ones(bad, bool)]) is None


def test_enough_verdicts_suggest() -> None:
    scores = np.r_[np.linspace(0.3, 0.5, MIN_OF_EACH), np.linspace(0.4, 0.6, MIN_OF_EACH)]
    assert calibrate(scores, np.repeat([False, True], MIN_OF_EACH)) is not None


@pytest.mark.parametrize("scores", [np.full(40, 0.5), np.linspace(0.6, 0.2, 40)])
def test_scores_that_do_not_rise_with_defects_suggest_nothing(scores: np.ndarray) -> None:
    assert calibrate(scores, np.repeat([False, True], 20)) is None


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be finite and as many as the verdicts, got shapes \(3,\) and \(2,\)"):
        calibrate(np.zeros(3), np.zeros(2, bool))
    with pytest.raises(ValueError, match="must be finite"):
        calibrate(np.array([np.nan]), np.array([True]))
