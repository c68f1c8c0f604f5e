"""Pixel metrics against scikit-learn, a brute-force PRO over every threshold, and the reference files."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from musc.metrics import pixel_metrics
from musc.metrics.region_overlap import reference_thresholds

LIMITS = (0.3, 0.05, 1.0, 0.123)


def find_regions(mask: np.ndarray) -> list[set[tuple[int, int]]]:
    """8-connected regions by walking from pixel to pixel."""
    left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    regions = []
    while left:
        region = {left.pop()}
        ahead = list(region)
        while ahead:
            row, column = ahead.pop()
            near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            region |= near
            ahead += near
        regions.append(region)
    return regions


def overlap_and_rate(masks: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    overlaps = [
        sum(bool(found[image][pixel]) for pixel in region) / len(region)
        for image, mask in enumerate(masks)
        for region in find_regions(mask)
    ]
    return float(np.mean(overlaps)), float(found[masks == 0].mean())


def brute_force_aupro(masks: np.ndarray, maps: np.ndarray, limit: float) -> float:
    """One pass per distinct score; the curve is cut at the limit by linear interpolation."""
    points = [(0.0, 0.0)]
    for threshold in np.unique(maps)[::-1]:
        overlap, rate = overlap_and_rate(masks, maps >= threshold)
        points.append((rate, overlap))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 > limit:
            if x0 < limit:
                y1 = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
                area += (limit - x0) * (y0 + y1) / 2
            break
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit


def brute_force_reference_pro(masks: np.ndarray, maps: np.ndarray) -> float:
    lowest, highest = float(maps.min()), float(maps.max())
    points = []
    for threshold in np.arange(lowest, highest, (highest - lowest) / 200):
        overlap, rate = overlap_and_rate(masks, maps > threshold)
        if rate < 0.3:
            points.append((rate, overlap))
    rates, overlaps = np.array(points).T
    return float(auc((rates - rates.min()) / (rates.max() - rates.min()), overlaps))


def make_set(distinct_count: int, dtype: type = np.float32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Five small images, two of them with several regions that touch by corners, scores that overlap."""
    random = np.random.default_rng(seed)
    masks = np.zeros((5, 13, 11), np.uint8)
    masks[1, 2:5, 3:6] = masks[1, 5, 6] = masks[1, 9:11, 0:2] = 1
    masks[3, 12, 10] = masks[3, 0:7, 0] = masks[3, 4, 7:10] = masks[3, 5, 6] = 1
    levels = random.integers(0, distinct_count, masks.shape) + masks * random.integers(0, distinct_count)
    return masks, (levels / distinct_count - 0.4).astype(dtype)


@pytest.mark.parametrize("distinct_count", [2, 7, 40, 100_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixel_metrics_agree_with_sklearn_whatever_the_ties(distinct_count: int, dtype: type) -> None:
    masks, maps = make_set(distinct_count, dtype)
    metrics = pixel_metrics(masks, maps)
    precision, recall, _ = precision_recall_curve(masks.ravel(), maps.ravel())
    f1_max = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300))
    np.testing.assert_allclose(metrics["auroc"], roc_auc_score(masks.ravel(), maps.ravel()), rtol=0, atol=1e-9)
    np.testing.assert_allclose(metrics["ap"], average_precision_score(masks.ravel(), maps.ravel()), rtol=0, atol=1e-9)
    np.testing.assert_allclose(metrics["f1_max"], f1_max, rtol=0, atol=1e-9)


@pytest.mark.parametrize("distinct_count", [2, 7, 40, 100_000])
def test_aupro_agrees_with_every_threshold_tried(distinct_count: int) -> None:
    masks, maps = make_set(distinct_count)
    metrics = pixel_metrics(masks, maps, LIMITS)
    names = ["aupro", "aupro_0.05", "aupro_1", "aupro_0.123"]
    for name, limit in zip(names, LIMITS, strict=True):
        np.testing.assert_allclose(
            metrics[name], brute_force_aupro(masks, maps, limit), rtol=0, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("distinct_count", [7, 40, 100_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_aupro_reference_agrees_with_200_passes(distinct_count: int, dtype: type) -> None:
    masks, maps = make_set(distinct_count, dtype)
    expected = brute_force_reference_pro(masks, maps)
    np.testing.assert_allclose(pixel_metrics(masks, maps)["aupro_reference"], expected, rtol=0, atol=1e-9)


def test_reference_thresholds_part_float32_scores_as_float64_steps_do() -> None:
    lowest, highest = np.float32(0.1), np.float32(0.7)
    exact = np.arange(float(lowest), float(highest), (float(highest) - float(lowest)) / 200)
    at_steps = exact.astype(np.float32)
    scores = np.concatenate([at_steps, np.nextafter(at_steps, np.float32(9)), np.nextafter(at_steps, np.float32(-9))])
    rounded = reference_thresholds(np.append(scores[scores >= lowest], highest))
    assert rounded.dtype == np.float32
    np.testing.assert_array_equal(scores > rounded[:, None], scores.astype(np.float64) > exact[:, None])


def test_pixel_metrics_agree_with_the_small_reference(small_stages: dict[str, np.ndarray]) -> None:
    metrics = pixel_metrics(small_stages["masks"], small_stages["anomaly_maps"])
    figures = [metrics[name] for name in ("auroc", "f1_max", "ap", "aupro_reference")]
    np.testing.assert_allclose(figures, small_stages["pixel_auroc_f1max_ap_aupro200"], rtol=0, atol=1e-9)


def test_aupro_agrees_with_the_small_reference(small_stages: dict[str, np.ndarray]) -> None:
    first, *further = small_stages["aupro_limits"]
    metrics = pixel_metrics(small_stages["masks"], small_stages["anomaly_maps"], (first, *further))
    figures = [metrics["aupro"], *(metrics[f"aupro_{limit:g}"] for limit in further)]
    np.testing.assert_allclose(figures, small_stages["aupro_exact"], rtol=0, atol=1e-9)


def test_pixel_metrics_agree_with_the_photographs(
    reference_stages: dict[str, np.ndarray], reference_folder: Path
) -> None:
    expected = json.loads((reference_folder / "reference.json").read_text())["pixel_metrics"]
    metrics = pixel_metrics(reference_stages["masks"], reference_stages["anomaly_maps"])
    metrics["aupro_200_thresholds"] = metrics["aupro_reference"]
    for name, value in expected.items():
        # The authors' AUROC is 1.1e-7 from scikit-learn's on the stored maps; all other figures agree to 1e-8.
        np.testing.assert_allclose(metrics[name], value, rtol=0, atol=1e-6, err_msg=name)


def test_pixel_metrics_of_a_perfect_map() -> None:
    masks, _ = make_set(2)
    metrics = pixel_metrics(masks, masks.astype(np.float32))
    # The 200-threshold curve has a single point here, at a rate of 0, so it spans no range.
    assert np.isnan(metrics.pop("aupro_reference"))
    assert metrics == pytest.approx({"auroc": 1, "f1_max": 1, "ap": 1, "aupro": 1}, abs=1e-12)


def test_pixel_metrics_of_a_constant_map() -> None:
    masks, maps = make_set(2)
    metrics = pixel_metrics(masks, np.full_like(maps, 0.25), limits=(0.2,))
    share = masks.mean()
    # The curve is the diagonal, whose area up to the limit is half of limit².
    assert metrics["aupro"] == pytest.approx(0.1)
    assert metrics["auroc"] == 0.5
    assert metrics["ap"] == pytest.approx(share)
    assert metrics["f1_max"] == pytest.approx(2 * share / (1 + share))
    assert np.isnan(metrics["aupro_reference"])


def test_pixel_metrics_do_not_depend_on_the_order_of_images() -> None:
    masks, maps = make_set(40)
    order = [3, 0, 4, 1, 2]
    assert pixel_metrics(masks[order], maps[order], LIMITS) == pytest.approx(pixel_metrics(masks, maps, LIMITS))


def test_pixel_metrics_do_not_depend_on_the_scale_of_scores() -> None:
    masks, maps = make_set(40)
    scaled = pixel_metrics(masks, maps * 8 - 16, LIMITS)
    plain = pixel_metrics(masks, maps, LIMITS)
    # Steps of the 200 thresholds are rounded differently, so only the exact figures must stay.
    del scaled["aupro_reference"], plain["aupro_reference"]
    assert scaled == pytest.approx(plain)


def test_pixel_metrics_accept_masks_of_every_dtype() -> None:
    masks, maps = make_set(40)
    expected = pixel_metrics(masks, maps)
    for dtype in (bool, np.int64, np.float32):
        assert pixel_metrics(masks.astype(dtype), maps) == expected


def test_pixel_metrics_leave_their_inputs_alone() -> None:
    masks, maps = make_set(40)
    masks_before, maps_before = masks.copy(), maps.copy()
    pixel_metrics(masks, maps)
    np.testing.assert_array_equal(masks, masks_before)
    np.testing.assert_array_equal(maps, maps_before)


def test_pixel_metrics_are_not_defined_without_a_defect() -> None:
    masks, maps = make_set(40)
    metrics = pixel_metrics(np.zeros_like(masks), maps, LIMITS)
    assert len(metrics) == 8
    assert np.isnan(list(metrics.values())).all()


def test_pixel_metrics_without_a_clean_pixel_leave_only_precision_defined() -> None:
    masks, maps = make_set(40)
    metrics = pixel_metrics(np.ones_like(masks), maps)
    assert {name for name, value in metrics.items() if np.isnan(value)} == {"auroc", "aupro", "aupro_reference"}
    assert (metrics["f1_max"], metrics["ap"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("masks", "maps", "limits", "message"),
    [
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 3)), (0.3,), r"masks must have the shape of anomaly_maps \(1, 2, 3\)"),
        (np.zeros((1, 2, 2)), np.full((1, 2, 2), np.nan), (0.3,), r"anomaly_maps must be finite, got 4 NaN"),
        (np.full((1, 2, 2), 255), np.zeros((1, 2, 2)), (0.3,), r"masks must be 0 or 1, got \[255\]; compare grey"),
        (np.full((1, 2, 2), 3, np.uint8), np.zeros((1, 2, 2)), (0.3,), r"masks must be 0 or 1, got \[3\]"),
        (np.full((1, 2, 2), np.nan), np.zeros((1, 2, 2)), (0.3,), r"masks must be 0 or 1, got \[nan\]"),
        (np.zeros((2, 2)), np.zeros((2, 2)), (0.3,), r"anomaly_maps must have 3 axes, got shape \(2, 2\)"),
        (np.zeros((0, 2, 2)), np.zeros((0, 2, 2)), (0.3,), r"anomaly_maps must hold at least one score"),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), (0.3, 0, 2), r"limits must lie in \(0, 1\], got \[0.0, 2.0\]"),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), (), r"limits must hold at least one"),
    ],
)
def test_pixel_metrics_refuse(masks: np.ndarray, maps: np.ndarray, limits: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pixel_metrics(masks, maps, limits)


def test_pixels_outside_are_left_out_as_if_the_maps_were_cut() -> None:
    random = np.random.default_rng(7)
    masks, maps = random.random((3, 6, 9)) < 0.2, random.random((3, 6, 9)).astype(np.float32)
    inside = np.zeros(masks.shape, dtype=bool)
    inside[:, 1:5, 2:8] = True
    cut = pixel_metrics(masks[:, 1:5, 2:8], maps[:, 1:5, 2:8])
    assert pixel_metrics(masks, maps, inside=inside) == pytest.approx(cut)
    assert pixel_metrics(masks, maps)["auroc"] != pytest.approx(cut["auroc"], abs=1e-3)
