"""Brightness and sharpness of photographs: known values, and the laws they should obey."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from reports.brightness_sharpness import CENTRE_PIXELS, RememberedAppearances, appearance_of


def noise(seed: int = 0, size: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(60, 120, (size, size), dtype=np.uint8))


def test_brightness_is_the_mean_luma() -> None:
    halves = np.zeros((10, 10), dtype=np.uint8)
    halves[:, 5:] = 255
    assert appearance_of(Image.fromarray(halves).convert("RGB")).brightness == pytest.approx(0.5)


def test_sharpness_equals_plain_loops() -> None:
    picture = noise(size=7)
    values = np.asarray(picture, dtype=float) / 255
    laplacian = [
        values[r - 1, c] + values[r + 1, c] + values[r, c - 1] + values[r, c + 1] - 4 * values[r, c]
        for r in range(1, 6)
        for c in range(1, 6)
    ]
    assert appearance_of(picture).sharpness == pytest.approx(np.var(laplacian) / values.var(), rel=1e-4)


def test_sharpness_ignores_exposure() -> None:
    dim = Image.fromarray((np.asarray(noise()) - 20).astype(np.uint8))
    doubled = Image.fromarray((np.asarray(noise()) * 2).astype(np.uint8))
    assert appearance_of(dim).sharpness == pytest.approx(appearance_of(noise()).sharpness, rel=1e-4)
    assert appearance_of(doubled).sharpness == pytest.approx(appearance_of(noise()).sharpness, rel=1e-4)


def test_blur_lowers_sharpness() -> None:
    assert appearance_of(noise().filter(ImageFilter.GaussianBlur(1))).sharpness < 0.5 * appearance_of(noise()).sharpness


@pytest.mark.parametrize("size", [(1, 1), (2, 50), (40, 40)])
def test_sharpness_of_a_flat_or_tiny_image_is_zero(size: tuple[int, int]) -> None:
    assert appearance_of(Image.new("RGB", size, (90, 90, 90))) == pytest.approx((90 / 255, 0.0))


def test_only_the_middle_of_a_large_image_is_measured() -> None:
    picture = Image.new("L", (CENTRE_PIXELS + 200, CENTRE_PIXELS + 100), 255)
    picture.paste(0, (100, 50, 100 + CENTRE_PIXELS, 50 + CENTRE_PIXELS))
    assert appearance_of(picture) == (0.0, 0.0)


def test_measures_of_the_latest_photographs_are_remembered() -> None:
    remembered = RememberedAppearances(most=2)
    photographs = {name: Image.new("RGB", (4, 4), (number, 0, 0)) for number, name in enumerate("abc")}
    for name in ("a", "b", "a", "c"):
        remembered.note(name, photographs[name])
    assert remembered.of("b") is None
    assert remembered.of("a") == appearance_of(photographs["a"])
    assert remembered.of("c") == appearance_of(photographs["c"])
