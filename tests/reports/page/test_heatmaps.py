"""Drawing of anomaly maps, checked pixel by pixel on small pictures."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from reports.page.heatmaps import (
    apply_colours,
    colour_scale,
    data_url,
    draw_boxes,
    draw_outlines,
    fit_picture,
    overlay,
    within,
)

GREY = Image.new("RGB", (6, 4), (100, 100, 100))


def lightness(colours: np.ndarray) -> np.ndarray:
    """Relative luminance (ITU-R BT.709 weights, gamma 2.2) of uint8 colours."""
    return ((colours / 255.0) ** 2.2) @ np.array([0.2126, 0.7152, 0.0722])


def test_coloured_lightness_rises_with_value() -> None:
    ramp = lightness(apply_colours(np.linspace(0, 1, 64), (0.0, 1.0)))
    assert (np.diff(ramp) > 0).all()


def test_coloured_beyond_the_ends_stays_at_the_ends() -> None:
    colours = apply_colours(np.array([-5.0, 2.0, 3.0, 9.0]), (2.0, 3.0))
    assert colours.tolist() == [[0, 0, 4], [0, 0, 4], [252, 255, 164], [252, 255, 164]]


def test_colour_scale_spans_median_to_nearly_worst() -> None:
    scores = np.arange(1001, dtype=np.float32).reshape(1, 7, 143)
    assert colour_scale(scores) == pytest.approx((500.0, 999.0))


def test_colour_scale_of_equal_scores_has_width() -> None:
    low, high = colour_scale(np.full((2, 3, 3), 0.5, dtype=np.float32))
    assert low == 0.5 < high


def test_overlay_mixes_photograph_and_colour() -> None:
    values = np.full((4, 6), 0.1)
    values[1, 2], values[3, 3] = 1.0, 0.0
    pixels = np.asarray(overlay(GREY, values, 0.1, 1.0))
    assert pixels[3, 3].tolist() == np.asarray(GREY)[3, 3].tolist()  # outside of a region of interest
    # A quarter of the lowest colour (0, 0, 4), three quarters of the highest (252, 255, 164).
    assert pixels[0, 0].tolist() == [75, 75, 76]
    assert pixels[1, 2].tolist() == [214, 216, 148]


def test_fitted_map_has_rows_and_columns_of_the_picture() -> None:
    values = np.random.default_rng(0).random((4, 6)).astype(np.float32)
    np.testing.assert_array_equal(fit_picture(values, (6, 4)), values)
    assert fit_picture(values, (4, 6)).shape == (6, 4)


def test_overlay_takes_a_map_of_another_size_and_any_mode() -> None:
    picture = overlay(Image.new("L", (60, 40), 100), np.array([[0.0, 1.0]]), 0.0, 1.0)
    assert (picture.mode, picture.size) == ("RGB", (60, 40))
    row = np.asarray(picture)[20].astype(int).sum(axis=1)
    assert row[0] < row[30] < row[59]


def test_fitted_map_keeps_its_orientation() -> None:
    values = fit_picture(np.array([[0.0, 0.0, 0.0], [3.0, 3.0, 3.0]]), (30, 20))
    assert values.shape == (20, 30)
    assert values[0].max() == 0.0
    assert values[-1].min() == 3.0


def test_outlined_marks_around_the_mask_and_never_inside() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[4, 4] = True
    pixels = np.asarray(draw_outlines(Image.new("RGB", (9, 9), (100, 100, 100)), mask, width=1))
    assert pixels[4, 4].tolist() == [0, 0, 0]  # the black casing reaches a mask of one pixel
    assert {tuple(pixels[row, column]) for row, column in ((3, 4), (5, 4), (4, 3), (4, 5))} == {(255, 255, 255)}
    assert pixels[0, 0].tolist() == [100, 100, 100]


def test_outlined_of_nothing_changes_nothing() -> None:
    np.testing.assert_array_equal(np.asarray(draw_outlines(GREY, np.zeros((4, 6), dtype=bool))), np.asarray(GREY))


def test_boxed_surrounds_the_box_and_spares_the_original() -> None:
    picture = Image.new("RGB", (12, 12), (100, 100, 100))
    pixels = np.asarray(draw_boxes(picture, [(4, 5, 8, 8)]))
    assert pixels[6, 1:10, 0].tolist() == [100, 0, 255, 0, 100, 100, 0, 255, 0]
    assert pixels[4, 3:9].tolist() == [[255, 255, 255]] * 6
    assert pixels[4:9, 8].tolist() == [[255, 255, 255]] * 5
    assert np.asarray(picture).max() == 100


@pytest.mark.parametrize(("size", "expected"), [((400, 100), (200, 50)), ((30, 90), (30, 90))])
def test_within_keeps_proportions_and_never_enlarges(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert within(Image.new("RGB", size), 200).size == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_data_url_can_be_decoded(kind: str) -> None:
    url = data_url(GREY, kind)  # type: ignore[arg-type]
    head, _, content = url.partition(";base64,")
    assert head == f"data:image/{kind.lower()}"
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        assert (picture.format, picture.size) == (kind, (6, 4))
