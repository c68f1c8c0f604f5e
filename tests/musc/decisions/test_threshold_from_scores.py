"""How far up good parts reach, by the lower half of the scores."""

from math import log, sqrt

import numpy as np
import pytest

from musc.decisions.threshold_from_scores import DECAY, LINE, SMALL_LOT, USUAL_SHARE, Reach, lower_spread, reach_of

SCORES = np.random.default_rng(1).gamma(4, size=37)


@pytest.mark.parametrize("count", [1, 2, 8, 37])
def test_lower_spread_is_the_root_mean_square_below_the_median_in_plain_loops(count: int) -> None:
    ordered = sorted(SCORES[:count].tolist())
    median = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    squares = [(ordered[place] - median) ** 2 for place in range((count + 1) // 2)]
    assert lower_spread(SCORES[:count]) == pytest.approx(sqrt(sum(squares) / len(squares)))


def test_lower_spread_does_not_see_how_high_defects_lie() -> None:
    assert lower_spread(np.append(SCORES, [30, 40])) == lower_spread(np.append(SCORES, [300, 4000]))


def test_reach_lies_the_stated_number_of_spreads_above_the_median() -> None:
    reach = reach_of(SCORES)
    assert reach is not None
    assert reach.centre == np.median(SCORES)
    assert reach.height / lower_spread(SCORES) == pytest.approx(LINE + SMALL_LOT / sqrt(37))


@pytest.mark.parametrize("scores", [[0.3] * 9, [0.3] * 9 + [0.7], [0.3]])
def test_reach_is_unknown_where_the_lower_half_is_equal(scores: list[float]) -> None:
    assert reach_of(np.array(scores)) is None


def test_reach_is_higher_for_smaller_shares_and_without_a_jump() -> None:
    shares = np.geomspace(1e-6, 0.5, 400)
    heights = np.array([Reach(0.0, 1.0).score_at(share) for share in shares])
    assert (np.diff(heights) < 0).all()
    assert np.abs(np.diff(heights)).max() < 0.05
    assert Reach(2.0, 3.0).score_at(USUAL_SHARE) == pytest.approx(5.0)
    assert Reach(2.0, 3.0).score_at(USUAL_SHARE / 10) == pytest.approx(5.0 + 3.0 * log(10) / DECAY)


def test_p_values_count_the_images_below_the_line_in_plain_loops() -> None:
    scores = np.array([1.0, 1.0, 2.0, 3.0, 9.0])
    found = Reach(1.5, 5.0).p_values(scores)
    below = [score for score in scores if score < 6.5]
    for score, p_value in zip(scores[:4], found, strict=False):
        higher = sum(other >= score for other in below)
        assert p_value == pytest.approx(USUAL_SHARE + (1 - USUAL_SHARE) * higher / 4)
    assert found[4] == pytest.approx(USUAL_SHARE * np.exp(-DECAY * 2.5 / 5))


@pytest.mark.parametrize("count", [20, 60, 200])
def test_p_values_of_good_parts_are_uniform(count: int) -> None:
    """On normal scores; the interval is four standard errors of a share among all parts drawn."""
    rng = np.random.default_rng(count)
    lots = [rng.normal(size=count) for _ in range(100)]
    found = np.concatenate([reach.p_values(lot) for lot in lots if (reach := reach_of(lot))])
    for share in (0.1, 0.2, 0.5, 0.8):
        assert (found <= share).mean() == pytest.approx(share, abs=4 * sqrt(share * (1 - share) / found.size) + 0.03)


@pytest.mark.parametrize("count", [10, 40, 150])
def test_clean_lots_are_flagged_in_at_most_one_of_ten(count: int) -> None:
    rng = np.random.default_rng(count)
    for draw in (rng.normal, lambda size: rng.gamma(4, size=size)):
        lots = [np.asarray(draw(size=count)) for _ in range(200)]
        flagged = [reach.flag_threshold(lot, 0.5) <= lot.max() for lot in lots if (reach := reach_of(lot))]
        assert np.mean(flagged) <= 0.1


def test_more_false_alarms_never_flag_fewer() -> None:
    scores = np.append(SCORES, [30.0, 40.0, 50.0])
    reach = reach_of(scores)
    assert reach is not None
    thresholds = [reach.flag_threshold(scores, number) for number in (0.0, 0.1, 0.5, 2.0, 10.0)]
    assert thresholds[0] == np.inf
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[2] <= 30.0
