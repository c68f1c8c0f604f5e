"""Masks and boxes of flagged images."""

import numpy as np
import pytest

from musc.decisions.defect_boxes import Box, boxes, defect_mask, lowest_peak, pixel_threshold


def test_boxes_of_two_regions_in_image_pixels() -> None:
    anomaly_map = np.zeros((4, 8))
    anomaly_map[0, 1:3] = 0.5
    anomaly_map[2:4, 6] = [0.6, 0.9]
    assert boxes(anomaly_map, anomaly_map >= 0.5, (40, 160)) == [
        Box(x=120, y=20, width=20, height=20, peak_score=0.9),
        Box(x=20, y=0, width=40, height=10, peak_score=0.5),
    ]


def test_boxes_join_pixels_that_touch_at_a_corner() -> None:
    assert len(boxes(np.eye(5), np.eye(5) == 1, (5, 5))) == 1


def test_boxes_stay_inside_and_cover_the_mask() -> None:
    anomaly_map = np.random.default_rng(0).random((7, 11))
    height, width = 30, 17
    covered = np.zeros((height, width), dtype=bool)
    for box in boxes(anomaly_map, anomaly_map >= 0.7, (height, width)):
        assert 0 <= box.x < box.x + box.width <= width
        assert 0 <= box.y < box.y + box.height <= height
        covered[box.y : box.y + box.height, box.x : box.x + box.width] = True
    rows, columns = np.indices((height, width))
    mask = (anomaly_map >= 0.7)[rows * 7 // height, columns * 11 // width]
    assert covered[mask].all()


def test_boxes_of_an_empty_mask_are_none() -> None:
    assert boxes(np.full((3, 3), 0.2), np.zeros((3, 3), dtype=bool), (3, 3)) == []


def test_mask_without_a_threshold_is_empty() -> None:
    assert not defect_mask(np.full((3, 3), 0.2), np.full((3, 3), 0.2), np.nan).any()


def test_mask_is_that_of_plain_loops() -> None:
    rng = np.random.default_rng(1)
    whole, fine, threshold = rng.random((9, 7)) + 0.1, rng.random((9, 7)) + 0.1, 0.7
    whole[4:6, 2:5] += 1
    middle, fine_middle = (sorted(one.ravel().tolist())[31] for one in (whole, fine))
    from_on = min(threshold, middle + 0.8 * (whole.max() - middle))
    odd = [(row, column) for row in range(9) for column in range(7) if whole[row, column] >= from_on]
    level = fine_middle + 0.6 * (max(fine[place] for place in odd) - fine_middle)
    level = min(level, fine.ravel()[whole.argmax()])
    expected = np.zeros((9, 7), dtype=bool)
    for place in odd:
        expected[place] = fine[place] >= level
    np.testing.assert_array_equal(defect_mask(whole, fine, threshold), expected)


@pytest.mark.parametrize("threshold", [0.5, 0.7, np.inf])
def test_mask_is_the_same_for_scaled_and_shifted_scores(threshold: float) -> None:
    whole, fine = np.random.default_rng(2).random((2, 8, 9))
    moved = defect_mask(4 * whole + 2, 4 * fine + 2, 4 * threshold + 2)
    assert moved.any()
    np.testing.assert_array_equal(moved, defect_mask(whole, fine, threshold))


def test_mask_of_a_photograph_that_differs_as_a_whole_is_where_it_differs_most() -> None:
    anomaly_map = 0.9 + 0.05 * np.random.default_rng(3).random((40, 40))
    anomaly_map[10:14, 20:25] = 1.3
    (box,) = boxes(anomaly_map, defect_mask(anomaly_map, anomaly_map, 0.4), (40, 40))
    assert (box.x, box.y, box.width, box.height) == (20, 10, 5, 4)


def test_mask_of_a_small_flaw_is_as_small_as_the_finest_map_shows_it() -> None:
    fine = np.full((64, 64), 0.1)
    fine[30:32, 40:42] = 1
    whole = np.full((64, 64), 0.1)
    whole[22:40, 32:50] = 0.8
    whole[31, 41] = 0.9
    (box,) = boxes(whole, defect_mask(whole, fine, 0.3), (64, 64))
    assert (box.x, box.y, box.width, box.height) == (40, 30, 2, 2)


def test_mask_ignores_what_lies_outside_of_a_region_of_interest() -> None:
    anomaly_map = np.zeros((20, 20))
    anomaly_map[:4] = 0.5 + 0.01 * np.arange(20)
    anomaly_map[1, 3] = 1
    assert np.argwhere(defect_mask(anomaly_map, anomaly_map, 0.4)).tolist() == [[1, 3]]


@pytest.mark.parametrize("fine", [0.0, 0.1, 0.9])
def test_mask_of_a_listed_image_is_never_empty(fine: float) -> None:
    whole = np.full((6, 6), 0.5)
    whole[2, 2] = 0.9
    finest = np.full((6, 6), 0.5)
    finest[2, 2] = fine
    assert defect_mask(whole, finest, 2.0)[2, 2]


def test_pixel_threshold_comes_from_accepted_images_only() -> None:
    scores = np.random.default_rng(0).random((10, 500)) * 0.1
    flagged = np.arange(10) >= 8
    scores[flagged] += 0.6
    found = pixel_threshold(scores, flagged, 0.3)
    assert found == np.quantile(scores[:8], 0.999)
    assert found < 0.1


def test_pixel_threshold_never_exceeds_the_image_threshold() -> None:
    scores = np.full((3, 4), 0.5)
    assert pixel_threshold(scores, np.array([False, False, True]), 0.3) == 0.3


def test_pixel_threshold_without_accepted_images_is_the_image_threshold() -> None:
    assert pixel_threshold(np.full((2, 4), 0.5), np.array([True, True]), 0.3) == 0.3


def test_pixel_threshold_without_flagged_images_is_none() -> None:
    assert np.isnan(pixel_threshold(np.full((2, 4), 0.5), np.array([False, False]), np.nan))


def test_lowest_peak_is_that_of_the_listed_image_with_the_lowest_one_and_infinite_without_any() -> None:
    patch_scores = np.array([[[0.9, 0.1]], [[np.nan, 0.4]], [[0.2, 0.7]]])
    assert lowest_peak(patch_scores, np.array([True, False, True])) == 0.7
    assert lowest_peak(patch_scores, np.array([True, True, True])) == 0.4
    assert lowest_peak(patch_scores, np.array([False, False, False])) == np.inf
