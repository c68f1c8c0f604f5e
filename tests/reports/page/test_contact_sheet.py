"""The drawn sheet: every part beside itself under its anomaly map, small enough for the Prefect UI."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from reports.page.contact_sheet import MAX_BYTES, TILE, SheetPart, bounded_url, fitting, sheet
from reports.page.heatmaps import apply_colours

LIMITS = (0.1, 0.5)
RED = (255, 0, 0)


def photograph(width: int = 60, height: int = 40) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(400, 100), (100, 400), (7, 7), (3000, 2000), (5000, 1)])
def test_photographs_are_fitted_by_their_longer_side(size: tuple[int, int]) -> None:
    fitted = fitting(Image.new("RGB", size))
    assert max(fitted.size) == TILE
    assert min(fitted.size) >= 1


@pytest.mark.parametrize("count", [1, 2, 5])
def test_sheet_holds_every_part_beside_its_overlay(count: int) -> None:
    highest = np.full((2, 2), LIMITS[1], dtype=np.float32)
    page = np.asarray(sheet([SheetPart("one", Image.new("RGB", (50, 50), RED), highest)] * count, LIMITS), dtype=int)
    assert (page == RED).all(axis=-1).sum() == count * TILE * TILE
    heat = 0.25 * np.array(RED) + 0.75 * apply_colours(np.array(LIMITS[1]), LIMITS)
    assert (abs(page - heat) <= 1).all(axis=-1).sum() == count * TILE * TILE


def test_sheet_shows_the_whole_colour_scale() -> None:
    page = np.asarray(sheet([SheetPart("one", photograph(), np.zeros((2, 2), dtype=np.float32))], LIMITS))
    for value in np.linspace(0.15, 0.45, 5):
        near = abs(page.astype(int) - apply_colours(np.array(value), LIMITS)).max(axis=-1) <= 2
        assert near[-40:-26].any()


def test_url_is_a_jpeg_of_bounded_size() -> None:
    noise = photograph(800, 700)
    head, _, text = bounded_url(noise).partition(",")
    assert head == "data:image/jpeg;base64"
    content = base64.b64decode(text)
    assert len(content) <= MAX_BYTES
    with Image.open(io.BytesIO(content)) as read:
        assert read.size == noise.size


def test_largest_sheet_of_noise_fits_what_the_ui_shows() -> None:
    scores = np.random.default_rng(1).random((37, 37), dtype=np.float32)
    page = sheet([SheetPart("6: score 0.123", photograph(518, 518), scores)] * 6, (0.0, 1.0))
    assert len(bounded_url(page)) < 480_000
