"""The drawn sheet: what is anomalous is coloured, what is not looks as it was photographed."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tasks import overlay
from tasks.overlay import TILE, Part, Scale, colours, data_url, fitting, overlaid, sheet

SCALE = Scale(0.1, 0.5)


def photograph(width: int = 60, height: int = 40) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_lowest_scores_leave_the_photograph_as_it_is() -> None:
    picture = photograph()
    shown = overlaid(picture, np.full((3, 5), 0.1, dtype=np.float32), SCALE)
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(picture))


def test_highest_scores_take_the_scales_last_colour() -> None:
    picture = Image.new("RGB", (60, 40))
    shown = np.asarray(overlaid(picture, np.full((3, 5), 0.7, dtype=np.float32), SCALE))
    expected = np.rint(overlay.STRONGEST * colours(np.array([1.0]))[0])
    np.testing.assert_array_equal(shown, np.broadcast_to(expected, shown.shape))


def test_only_the_anomalous_corner_is_coloured() -> None:
    scores = np.full((4, 4), 0.1, dtype=np.float32)
    scores[0, 3] = 0.5
    picture = photograph(64, 64)
    changed = np.any(np.asarray(overlaid(picture, scores, SCALE)) != np.asarray(picture), axis=-1)
    assert changed[:8, -8:].mean() > 0.9
    assert not changed[32:, :32].any()


def test_colours_grow_in_lightness() -> None:
    lightness = colours(np.linspace(0, 1, 50)) @ [0.299, 0.587, 0.114]
    assert (np.diff(lightness) > 0).all()


def test_a_lot_without_differences_is_drawn_clear() -> None:
    np.testing.assert_array_equal(Scale(0.3, 0.3).fractions(np.array([0.3, 0.3])), [0, 0])


@pytest.mark.parametrize("size", [(400, 100), (100, 400), (7, 7), (3000, 2000), (5000, 1)])
def test_photographs_are_fitted_by_their_longer_side(size: tuple[int, int]) -> None:
    fitted = fitting(Image.new("RGB", size))
    assert max(fitted.size) == TILE
    assert min(fitted.size) >= 1


@pytest.mark.parametrize("count", [1, 2, 5])
def test_sheet_holds_every_part_beside_its_overlay(count: int) -> None:
    red, scores = Image.new("RGB", (50, 50), (255, 0, 0)), np.full((2, 2), 0.1, dtype=np.float32)
    page = np.asarray(sheet([Part("one", red, scores)] * count, SCALE))
    assert (page == (255, 0, 0)).all(axis=-1).sum() == count * 2 * TILE * TILE


def test_data_url_is_a_jpeg_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = photograph(800, 700)
    head, _, text = data_url(noise).partition(",")
    assert head == "data:image/jpeg;base64"
    content = base64.b64decode(text)
    assert len(content) <= overlay.MOST_BYTES
    with Image.open(io.BytesIO(content)) as read:
        assert read.size == noise.size


def test_largest_sheet_of_noise_fits_what_the_ui_shows() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random((37, 37), dtype=np.float32)
    page = sheet([Part("6: score 0.123", photograph(518, 518), scores)] * 6, Scale(0, 1))
    assert len(data_url(page)) < 480_000
