"""Masks as people save them: read as the same pixels whatever the way, or refused by name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.datasets import DATASETS, LabelledImage, Mask, load_mask, load_mask_at
from storage.errors import DatasetLayoutError, UnreadableImageError
from storage.images.formats.orientation import EXIF_ORIENTATION

HEIGHT, WIDTH = 12, 18
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF's number -> how upright pixels are turned before they are stored under it."""


@pytest.fixture
def defect() -> np.ndarray:
    """An unsymmetrical defect, bool (12, 18)."""
    marked = np.zeros((HEIGHT, WIDTH), dtype=bool)
    marked[2:6, 3:9] = marked[5:8, 3:5] = True
    return marked


def grey(marked: np.ndarray, value: int = 255) -> Image.Image:
    return Image.fromarray(marked.astype(np.uint8) * np.uint8(value))


def with_alpha(colour: np.ndarray, marked: np.ndarray) -> Image.Image:
    return Image.fromarray(np.dstack([*([colour.astype(np.uint8)] * 3), marked.astype(np.uint8) * 255]))


def palette(marked: np.ndarray, colour: tuple[int, int, int]) -> Image.Image:
    image = Image.fromarray(marked.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, *colour])
    return image


def ways(marked: np.ndarray) -> dict[str, Image.Image]:
    """One defect saved in many ways."""
    alike = np.zeros(marked.shape)
    red = np.dstack([marked * 255, alike, alike]).astype(np.uint8)
    return {
        "grey": grey(marked),
        "one bit": grey(marked).convert("1"),
        "sixteen bits": Image.fromarray(marked.astype(np.uint16) * 65535),
        "colours": grey(marked).convert("RGB"),
        "red": Image.fromarray(red),
        "dark blue palette": palette(marked, (0, 0, 2)),
        "opaque alpha": with_alpha(marked * 255, np.ones_like(marked)),
        "white, the defect in alpha alone": with_alpha(alike + 255, marked),
        "black paint on a transparent ground": with_alpha(alike, marked),
        "white paint on a transparent black ground": with_alpha(marked * 255, marked),
        "grey and alpha": with_alpha(alike + 255, marked).convert("LA"),
        "transparent palette": palette(marked, (255, 255, 255)),
    }


def labelled(
    root: Path, mask: Image.Image, photograph: Image.Image | None = None, orientation: int = 1
) -> LabelledImage:
    """A defective image and its mask on disk."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    (photograph or Image.new("L", (WIDTH, HEIGHT), 200)).save(root / "image.png", exif=exif)
    mask.save(root / "mask.png", **({"transparency": 0} if mask.mode == "P" else {}))
    return LabelledImage("image.png", "bad", 1, (Mask("mask.png"),))


@pytest.mark.parametrize("way", ways(np.ones((1, 1), dtype=bool)))
def test_one_defect_is_read_alike_however_it_is_saved(way: str, defect: np.ndarray, tmp_path: Path) -> None:
    image = labelled(tmp_path, ways(defect)[way])
    np.testing.assert_array_equal(load_mask(tmp_path, image), defect)
    np.testing.assert_array_equal(load_mask_at(tmp_path, image, (HEIGHT, WIDTH), "folder"), defect)


def test_colours_and_alpha_that_disagree_are_refused(defect: np.ndarray, tmp_path: Path) -> None:
    image = labelled(tmp_path, with_alpha(defect * 255, ~defect | (np.arange(WIDTH) < 5)))
    with pytest.raises(UnreadableImageError, match=r"mask\.png' \(its colours and its alpha channel mark different"):
        load_mask(tmp_path, image)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("saved", ["upright", "as stored", "turned by EXIF too"])
def test_mask_of_an_image_that_exif_turns_by_a_quarter(
    saved: str, orientation: int, defect: np.ndarray, tmp_path: Path
) -> None:
    stored = Image.new("L", (WIDTH, HEIGHT), 200).transpose(TURNS[orientation])
    mask = grey(defect) if saved == "upright" else grey(defect).transpose(TURNS[orientation])
    image = labelled(tmp_path, mask, stored, orientation)
    if saved == "turned by EXIF too":
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = orientation
        mask.save(tmp_path / "mask.png", exif=exif)
    np.testing.assert_array_equal(load_mask(tmp_path, image), defect)


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_mask_whose_turn_nothing_tells_is_refused(orientation: int, defect: np.ndarray, tmp_path: Path) -> None:
    image = labelled(tmp_path, grey(defect), None, orientation)
    with pytest.raises(
        DatasetLayoutError, match=rf"mask\.png must say how .* image\.png \(orientation {orientation}\)"
    ):
        load_mask(tmp_path, image)


def test_mask_of_a_square_image_that_exif_turns_is_refused(defect: np.ndarray, tmp_path: Path) -> None:
    square = grey(defect[:, :HEIGHT])
    with pytest.raises(DatasetLayoutError, match="equal sides do not tell"):
        load_mask(tmp_path, labelled(tmp_path, square, Image.new("L", square.size, 200), 6))


def test_mask_of_other_proportions_is_refused(defect: np.ndarray, tmp_path: Path) -> None:
    image = labelled(tmp_path, grey(defect).transpose(Image.Transpose.ROTATE_90))
    with pytest.raises(
        DatasetLayoutError, match=r"proportions of image\.png, 18 × 12 pixels seen upright, got 12 × 18"
    ):
        load_mask(tmp_path, image)


def test_mask_of_half_the_size_is_read(defect: np.ndarray, tmp_path: Path) -> None:
    image = labelled(tmp_path, grey(defect[::2, ::2]))
    np.testing.assert_array_equal(load_mask(tmp_path, image), defect[::2, ::2])


@pytest.mark.parametrize("dataset", DATASETS)
def test_mask_that_marks_nothing_is_refused(dataset: str, tmp_path: Path) -> None:
    image = labelled(tmp_path, grey(np.zeros((HEIGHT, WIDTH), dtype=bool)))
    with pytest.raises(DatasetLayoutError, match=r"mask\.png must mark the defect of image\.png, got no pixel above 0"):
        load_mask_at(tmp_path, image, (8, 8), dataset)


def test_mask_without_a_ground_is_refused(defect: np.ndarray, tmp_path: Path) -> None:
    image = labelled(tmp_path, Image.fromarray(np.where(defect, 255, 7).astype(np.uint8)))
    with pytest.raises(DatasetLayoutError, match=r"mask\.png of image\.png must have a ground of 0, got values from 7"):
        load_mask(tmp_path, image)


@pytest.mark.parametrize("value", [1, 128, 254])
@pytest.mark.parametrize("dataset", ["mvtec_ad", "btad"])
def test_mask_without_the_value_that_counts_is_refused(
    dataset: str, value: int, defect: np.ndarray, tmp_path: Path
) -> None:
    image = labelled(tmp_path, grey(defect, value))
    expected = rf"mask\.png of image\.png must mark defects with 255, .* in {dataset}, got values up to {value}"
    with pytest.raises(DatasetLayoutError, match=expected):
        load_mask_at(tmp_path, image, (HEIGHT, WIDTH), dataset)


@pytest.mark.parametrize("dataset", ["folder", "visa"])
def test_mask_of_ones_is_read_where_any_value_counts(dataset: str, defect: np.ndarray, tmp_path: Path) -> None:
    image = labelled(tmp_path, grey(defect, 1))
    np.testing.assert_array_equal(load_mask_at(tmp_path, image, (HEIGHT, WIDTH), dataset), defect)
