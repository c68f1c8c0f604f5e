"""Histograms: any batching and merging gives the same, and the error stays within what is stated."""

from functools import reduce

import numpy as np
import pytest

from musc.metrics import (
    PixelHistogram,
    empty_histogram,
    histogram_error_bounds,
    histogram_metrics,
    merge_histograms,
    pixel_metrics,
    update_histogram,
)

LIMITS = (0.3, 0.05, 1.0)
# The bounds hold in exact arithmetic; both sides are float64 sums of some thousand terms.
ROUNDING = 1e-12


def make_set(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    masks = np.zeros((6, 24, 20), np.uint8)
    for index in (1, 2, 5):
        row, column = random.integers(0, 15, 2)
        masks[index, row : row + 7, column : column + 4] = 1
        masks[index, 23, 19] = 1
    maps = random.beta(2, 6, masks.shape) + masks * random.uniform(0, 0.5, masks.shape)
    return masks, maps.astype(np.float32)


def assert_same(first: PixelHistogram, second: PixelHistogram) -> None:
    assert (first.score_range, first.region_count) == (second.score_range, second.region_count)
    np.testing.assert_array_equal(first.clean, second.clean)
    np.testing.assert_array_equal(first.defective, second.defective)
    np.testing.assert_allclose(first.overlap, second.overlap, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_histogram_of_any_batches_is_that_of_the_whole(batch_size: int) -> None:
    masks, maps = make_set(0)
    batched = empty_histogram(64)
    for start in range(0, 6, batch_size):
        batched = update_histogram(batched, masks[start : start + batch_size], maps[start : start + batch_size])
    assert_same(batched, update_histogram(empty_histogram(64), masks, maps))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_histogram_of_merged_parts_is_that_of_the_whole(order: tuple[int, ...]) -> None:
    masks, maps = make_set(1)
    parts = [update_histogram(empty_histogram(64), masks[i::3], maps[i::3]) for i in order]
    assert_same(reduce(merge_histograms, parts), update_histogram(empty_histogram(64), masks, maps))


def test_histogram_update_leaves_the_former_state_alone() -> None:
    masks, maps = make_set(0)
    before = update_histogram(empty_histogram(64), masks, maps)
    update_histogram(before, masks, maps)
    assert_same(before, update_histogram(empty_histogram(64), masks, maps))


def test_histogram_counts_every_pixel_once() -> None:
    masks, maps = make_set(2)
    histogram = update_histogram(empty_histogram(64), masks, maps)
    assert histogram.defective.sum() == masks.sum()
    assert histogram.clean.sum() == (masks == 0).sum()
    assert histogram.overlap.sum() == pytest.approx(histogram.region_count)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bin_count", [1, 5, 64, 1000, 2**16])
def test_histogram_metrics_are_within_their_bounds(bin_count: int, seed: int) -> None:
    masks, maps = make_set(seed)
    exact = pixel_metrics(masks, maps, LIMITS)
    del exact["aupro_reference"]
    histogram = update_histogram(empty_histogram(bin_count), masks, maps)
    binned = histogram_metrics(histogram, LIMITS)
    bounds = histogram_error_bounds(histogram, LIMITS)
    assert binned.keys() == bounds.keys() == exact.keys()
    for name, value in exact.items():
        assert abs(binned[name] - value) <= bounds[name] + ROUNDING, name


@pytest.mark.parametrize("seed", range(4))
def test_histogram_bounds_are_small_with_the_default_bins(seed: int) -> None:
    bounds = histogram_error_bounds(update_histogram(empty_histogram(), *make_set(seed)), LIMITS)
    assert max(bounds.values()) < 5e-3
    assert bounds["auroc"] < 1e-4


def test_histogram_metrics_of_one_score_per_bin_are_exact() -> None:
    masks, maps = make_set(3)
    rounded = np.floor(maps * 16) / 16
    exact = pixel_metrics(masks, rounded, LIMITS)
    del exact["aupro_reference"]
    histogram = update_histogram(empty_histogram(32), masks, rounded)
    assert histogram_metrics(histogram, LIMITS) == pytest.approx(exact, rel=0, abs=1e-12)


def test_histogram_f1_max_is_never_above_the_exact_one() -> None:
    for seed in range(8):
        masks, maps = make_set(seed)
        binned = histogram_metrics(update_histogram(empty_histogram(40), masks, maps))
        assert binned["f1_max"] <= pixel_metrics(masks, maps)["f1_max"] + ROUNDING


@pytest.mark.parametrize(
    ("defective_score", "name"), [(0.9, "auroc"), (0.1, "auroc"), (0.9, "f1_max"), (0.9, "aupro"), (0.1, "aupro")]
)
def test_histogram_bound_is_reached_when_one_bin_hides_a_whole_order(defective_score: float, name: str) -> None:
    # One bin holds everything: the true order is perfect or reversed, and nothing in the counts can tell.
    masks = np.zeros((1, 1, 50), np.uint8)
    masks[0, 0, 7] = 1
    maps = np.where(masks == 1, defective_score, 0.5)
    histogram = update_histogram(empty_histogram(1), masks, maps)
    error = abs(histogram_metrics(histogram, (1.0,))[name] - pixel_metrics(masks, maps, (1.0,))[name])
    assert error == pytest.approx(histogram_error_bounds(histogram, (1.0,))[name])


def test_histogram_holds_both_ends_of_its_range() -> None:
    histogram = update_histogram(empty_histogram(10, (-1.0, 1.0)), np.zeros((1, 1, 2)), np.array([[[-1.0, 1.0]]]))
    assert histogram.clean.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("mask", [None, 0])
def test_histogram_metrics_are_not_defined_without_a_defect(mask: int | None) -> None:
    histogram = empty_histogram(16)
    if mask is not None:
        histogram = update_histogram(histogram, np.full((1, 2, 2), mask), np.ones((1, 2, 2)))
    figures = histogram_metrics(histogram, LIMITS) | histogram_error_bounds(histogram, LIMITS)
    assert np.isnan(list(figures.values())).all()


def test_histogram_without_a_clean_pixel_leaves_only_precision_defined() -> None:
    histogram = update_histogram(empty_histogram(16), np.ones((1, 2, 2)), np.ones((1, 2, 2)))
    metrics = histogram_metrics(histogram)
    assert (metrics["f1_max"], metrics["ap"]) == (1.0, 1.0)
    assert np.isnan([metrics["auroc"], metrics["aupro"]]).all()


def test_histogram_refuses_scores_outside_its_range() -> None:
    with pytest.raises(ValueError, match=r"must lie in the histogram's range \[0, 2\], got \[-1, 2.5\]; begin with"):
        update_histogram(empty_histogram(16), np.zeros((1, 1, 2)), np.array([[[-1.0, 2.5]]]))


def test_histogram_refuses_a_merge_of_other_bins() -> None:
    with pytest.raises(ValueError, match=r"same range and number of bins, got \(\(0.0, 2.0\), 8\) and \(\(0.0, 2.0\)"):
        merge_histograms(empty_histogram(8), empty_histogram(16))


def test_histogram_refuses_no_bins() -> None:
    with pytest.raises(ValueError, match="bin_count must be at least 1, got 0"):
        empty_histogram(0)


@pytest.mark.parametrize("score_range", [(1.0, 1.0), (2.0, 0.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_histogram_refuses_an_empty_range(score_range: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="score_range must be finite and rise"):
        empty_histogram(8, score_range)
