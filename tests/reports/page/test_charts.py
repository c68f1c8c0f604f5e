"""Charts: every image is in a bar, and everything drawn lies on the chart."""

import numpy as np
import pytest

from reports.page.charts import BINS, histogram, trend


def test_histogram_holds_every_image_once() -> None:
    scores = np.random.default_rng(0).random(200)
    flagged = scores > 0.8
    chart = histogram(scores, flagged, 0.8)
    heights = np.array([(bar.accepted, bar.flagged) for bar in chart.bars]) * chart.most / 100
    assert heights.sum(axis=0).round(6).tolist() == [(~flagged).sum(), flagged.sum()]
    assert max(bar.accepted + bar.flagged for bar in chart.bars) == pytest.approx(100)


def test_histogram_threshold_beyond_the_scores_stays_on_the_chart() -> None:
    chart = histogram(np.array([0.1, 0.2]), np.zeros(2, dtype=bool), 0.5)
    assert (chart.low, chart.high, chart.threshold) == (0.1, 0.5, 100.0)


def test_histogram_without_a_threshold_draws_none() -> None:
    assert histogram(np.array([0.1, 0.2]), np.zeros(2, dtype=bool), None).threshold is None


def test_histogram_of_equal_scores_is_one_bar_in_the_middle() -> None:
    (bar,) = histogram(np.full(5, 0.3), np.zeros(5, dtype=bool), None).bars
    assert (bar.left, bar.width, bar.accepted) == (50.0, 100 / BINS, 100.0)


def test_histogram_never_begins_below_0() -> None:
    assert histogram(np.zeros(2), np.zeros(2, dtype=bool), None).low == 0.0
    assert histogram(np.array([0.3]), np.zeros(1, dtype=bool), None).low >= 0.0


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
