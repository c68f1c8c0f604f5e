"""Charts: every image is in a bar, and everything drawn lies on the chart."""

from collections import Counter

import numpy as np
import pytest

from musc.decisions.decision_words import Decision
from reports.page.charts import BINS, histogram, trend


def decided(scores: np.ndarray, flag: float = 9.0, suspect: float = 9.0) -> list[Decision]:
    return [
        Decision.FLAGGED if score >= flag else Decision.SUSPECT if score >= suspect else Decision.ACCEPTED
        for score in scores
    ]


def test_histogram_holds_every_image_once() -> None:
    scores = np.random.default_rng(0).random(200)
    chart = histogram(scores, decided(scores, 0.8, 0.7), 0.8, 0.7)
    parts = [part for bar in chart.bars for part in bar.parts]
    heights = {one: sum(part.height for part in parts if part.decision is one) * chart.most / 100 for one in Decision}
    assert {one: round(height) for one, height in heights.items()} == Counter(decided(scores, 0.8, 0.7))
    assert max(sum(part.height for part in bar.parts) for bar in chart.bars) == pytest.approx(100)


def test_histogram_stacks_the_graver_decisions_above() -> None:
    (bar,) = histogram(np.full(4, 0.3), ["flagged", "accepted", "suspect", "suspect"], None, None).bars
    assert [part.decision for part in bar.parts] == [Decision.ACCEPTED, Decision.SUSPECT, Decision.FLAGGED]
    assert [(part.top, part.height) for part in bar.parts] == [(75, 25), (25, 50), (0, 25)]


def test_histogram_thresholds_beyond_the_scores_stay_on_the_chart() -> None:
    chart = histogram(np.array([0.1, 0.2]), ["accepted"] * 2, 0.5, 0.05)
    assert (chart.low, chart.high, chart.threshold, chart.suspect_threshold) == (0.05, 0.5, 100.0, 0.0)


def test_histogram_without_thresholds_draws_none() -> None:
    chart = histogram(np.array([0.1, 0.2]), ["accepted"] * 2, None, None)
    assert (chart.threshold, chart.suspect_threshold) == (None, None)


def test_histogram_of_equal_scores_is_one_bar_in_the_middle() -> None:
    (bar,) = histogram(np.full(5, 0.3), ["accepted"] * 5, None, None).bars
    assert (bar.left, bar.width, bar.parts[0].height) == (50.0, 100 / BINS, 100.0)


def test_histogram_of_equal_scores_below_0_is_one_bar_in_the_middle() -> None:
    (bar,) = histogram(np.full(5, -0.3), ["accepted"] * 5, None, None).bars
    assert (bar.width, bar.parts[0].height) == (100 / BINS, 100.0)
    assert 45 <= bar.left <= 50


def test_histogram_of_scores_from_0_on_never_begins_below() -> None:
    assert histogram(np.zeros(2), ["accepted"] * 2, None, None).low == 0.0
    assert histogram(np.array([0.3]), ["accepted"], None, None).low >= 0.0


def test_trend_places_tonight_last_and_higher_values_higher() -> None:
    chart = trend([1.0, 3.0, 2.0], 4.0, 2.0, 1.0)
    across, down = zip(*chart.dots, strict=True)
    assert list(across) == sorted(across)
    assert np.argsort(down).tolist() == [3, 1, 2, 0]
    assert chart.band == pytest.approx((down[1], down[0]))


def test_trend_of_one_run_has_one_dot_and_no_band() -> None:
    chart = trend([], 4.0, float("nan"), float("nan"))
    assert len(chart.dots) == 1
    assert chart.band is None


def test_trend_leaves_out_what_could_not_be_measured() -> None:
    assert len(trend([1.0, 2.0], float("nan"), 1.5, float("nan")).dots) == 2
