"""AU-sPRO against brute force over every threshold and the reference file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musc.metrics import auspro, pixel_metrics


@pytest.fixture
def defects() -> dict[str, Any]:
    """Four channels in three of four images: two overlap, one has two pieces; scores with many ties."""
    random = np.random.default_rng(5)
    channels = np.zeros((4, 9, 8), np.uint8)
    channels[0, 1:4, 1:4] = 1
    channels[1, 3:6, 3:7] = 1
    channels[2, 0, 0:5] = channels[2, 7:9, 2:4] = 1
    channels[3, 4, 4] = 1
    image = np.array([2, 2, 0, 3])
    maps = random.integers(0, 12, (4, 9, 8)) / 8
    for channel, index in zip(channels, image, strict=True):
        maps[index] += channel * random.integers(0, 4, channel.shape) / 8
    return {
        "defect_masks": channels,
        "defect_image": image,
        "saturation_pixels": np.array([5, 12, 3, 1]),
        "anomaly_maps": maps.astype(np.float32),
    }


def brute_force_auspro(defects: dict[str, Any], limit: float) -> float:
    maps = defects["anomaly_maps"]
    clean = np.ones(maps.shape, bool)
    for channel, image in zip(defects["defect_masks"], defects["defect_image"], strict=True):
        clean[image] &= channel == 0
    rates, overlaps = [0.0], [0.0]
    for threshold in np.unique(maps)[::-1]:
        found = maps >= threshold
        parts = zip(defects["defect_masks"], defects["defect_image"], defects["saturation_pixels"], strict=True)
        overlaps.append(np.mean([min((found[i] & (c == 1)).sum() / s, 1.0) for c, i, s in parts]))
        rates.append(found[clean].mean())
    inside = [rate for rate in rates if rate < limit]
    x = np.array([*inside, limit])
    # The last point below the limit and the first one beyond it span the segment that is cut.
    first_out = len(inside)
    share = (limit - rates[first_out - 1]) / (rates[first_out] - rates[first_out - 1])
    y = np.array([*overlaps[:first_out], (1 - share) * overlaps[first_out - 1] + share * overlaps[first_out]])
    return float(np.trapezoid(y, x) / limit)


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.3, 0.77, 1.0])
def test_auspro_agrees_with_every_threshold_tried(defects: dict[str, Any], limit: float) -> None:
    np.testing.assert_allclose(
        auspro(**defects, limits=(limit,)), [brute_force_auspro(defects, limit)], rtol=0, atol=1e-9
    )


def test_auspro_agrees_with_the_reference(reference_folder: Path) -> None:
    with np.load(reference_folder / "auspro.npz") as stored:
        names = ("defect_masks", "defect_image", "saturation_pixels", "anomaly_maps")
        values = auspro(**{name: stored[name] for name in names}, limits=stored["auspro_limits"])
        np.testing.assert_allclose(values, stored["auspro_exact"], rtol=0, atol=1e-9)


def test_auspro_by_default_integrates_to_five_percent(defects: dict[str, Any]) -> None:
    np.testing.assert_array_equal(auspro(**defects), auspro(**defects, limits=(0.05,)))


def test_auspro_with_whole_areas_as_saturation_is_aupro() -> None:
    random = np.random.default_rng(3)
    masks = np.zeros((3, 10, 10), np.uint8)
    masks[0, 2:5, 2:5] = masks[2, 6:9, 1:9] = 1
    maps = (random.integers(0, 20, masks.shape) + 6 * masks).astype(np.float64)
    channels, areas = masks[[0, 2]], masks[[0, 2]].sum(axis=(1, 2))
    aupro = pixel_metrics(masks, maps, limits=(0.2,))["aupro"]
    np.testing.assert_allclose(auspro(channels, [0, 2], areas, maps, limits=(0.2,)), [aupro], rtol=0, atol=1e-12)


def test_auspro_never_falls_when_less_has_to_be_found(defects: dict[str, Any]) -> None:
    easier = defects | {"saturation_pixels": np.array([2, 6, 3, 1])}
    limits = (0.01, 0.1, 0.5)
    assert (auspro(**easier, limits=limits) >= auspro(**defects, limits=limits)).all()


def test_auspro_counts_images_without_channels_as_clean(defects: dict[str, Any]) -> None:
    loud_clean = np.full((1, 9, 8), 99, np.float32)
    more = defects | {"anomaly_maps": np.concatenate([defects["anomaly_maps"], loud_clean])}
    assert auspro(**more, limits=(0.1,))[0] == 0


def test_auspro_is_not_defined_without_a_channel() -> None:
    assert np.isnan(auspro(np.zeros((0, 4, 4)), [], [], np.zeros((2, 4, 4)), limits=(0.1, 0.3))).tolist() == [True] * 2


def test_auspro_is_not_defined_without_a_clean_pixel() -> None:
    assert np.isnan(auspro(np.ones((1, 4, 4)), [0], [3], np.zeros((1, 4, 4)))).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"defect_image": [0, 1, 2]}, r"defect_image must hold one value per channel \(4,\), got shape \(3,\)"),
        ({"defect_image": [0, 1, 4, -1]}, r"defect_image must lie in 0 to 3, got \[4, -1\]; give positions"),
        ({"saturation_pixels": [1, 1, 1]}, r"saturation_pixels must hold one value per channel \(4,\)"),
        ({"saturation_pixels": [0.5, 1, 1, 1]}, r"saturation_pixels must be whole numbers, got \[0.5, 1.0"),
        ({"saturation_pixels": [0, 1, 1, 2]}, r"must lie in 1 to the channel's area, got \[0, 2\] for areas \[9, 1\]"),
        ({"defect_masks": np.zeros((4, 9, 8))}, r"must mark a pixel in every channel, got none in \[0, 1, 2, 3\]"),
        ({"defect_masks": np.ones((4, 3, 3))}, r"defect_masks must have the size of anomaly_maps \(9, 8\), got \(3, 3"),
        ({"defect_masks": np.full((4, 9, 8), 2)}, r"defect_masks must be 0 or 1, got \[2\]"),
        ({"anomaly_maps": np.full((4, 9, 8), np.nan)}, r"anomaly_maps must be finite"),
        ({"limits": (1.5,)}, r"limits must lie in \(0, 1\], got \[1.5\]"),
    ],
)
def test_auspro_refuses(defects: dict[str, Any], changed: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        auspro(**(defects | changed))
