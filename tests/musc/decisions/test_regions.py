"""Masks and boxes of flagged images."""

import numpy as np
import pytest

from musc.decisions.regions import Box, boxes, defect_mask, pixel_threshold


def test_boxes_of_two_regions_in_image_pixels() -> None:
    anomaly_map = np.zeros((4, 8))
    anomaly_map[0, 1:3] = 0.5
    anomaly_map[2:4, 6] = [0.6, 0.9]
    assert boxes(anomaly_map, 0.5, (40, 160)) == [
        Box(x=120, y=20, width=20, height=20, peak_score=0.9),
        Box(x=20, y=0, width=40, height=10, peak_score=0.5),
    ]


def test_boxes_join_pixels_that_touch_at_a_corner() -> None:
    assert len(boxes(np.eye(5), 1.0, (5, 5))) == 1


def test_boxes_stay_inside_and_cover_the_mask() -> None:
    anomaly_map = np.random.default_rng(0).random((7, 11))
    height, width = 30, 17
    covered = np.zeros((height, width), dtype=bool)
    for box in boxes(anomaly_map, 0.7, (height, width)):
        assert 0 <= box.x < box.x + box.width <= width
        assert 0 <= box.y < box.y + box.height <= height
        covered[box.y : box.y + box.height, box.x : box.x + box.width] = True
    rows, columns = np.indices((height, width))
    mask = defect_mask(anomaly_map, 0.7)[rows * 7 // height, columns * 11 // width]
    assert covered[mask].all()


def test_boxes_of_a_map_below_the_threshold_are_none() -> None:
    assert boxes(np.full((3, 3), 0.2), 0.5, (3, 3)) == []


@pytest.mark.parametrize("threshold", [np.nan, 1.0])
def test_mask_is_empty(threshold: float) -> None:
    assert not defect_mask(np.full((3, 3), 0.2), threshold).any()


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
