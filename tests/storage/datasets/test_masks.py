"""Masks at original and at network size, against plain loops over pixels."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from storage.datasets import LabelledImage, Mask, load_mask, load_mask_at
from storage.errors import UnreadableImageError


def defective(root: Path, image: Image.Image, name: str = "mask.png") -> LabelledImage:
    """A defective image whose mask holds the pixels given."""
    image.save(root / name)
    Image.new("L", image.size, 200).save(root / "image.png")
    return LabelledImage("image.png", "bad", 1, (Mask(name),))


def grey(values: object) -> Image.Image:
    return Image.fromarray(np.array(values, dtype=np.uint8))


def halved(mask: np.ndarray, *, every: bool) -> np.ndarray:
    """Where the pixels under a halved bilinear filter, 4 × 4 around each target pixel, are all or in part set."""
    rows, columns = mask.shape[0] // 2, mask.shape[1] // 2
    result = np.zeros((rows, columns), dtype=bool)
    for row in range(rows):
        for column in range(columns):
            covered = [
                bool(mask[y, x])
                for y in range(max(0, 2 * row - 1), min(mask.shape[0], 2 * row + 3))
                for x in range(max(0, 2 * column - 1), min(mask.shape[1], 2 * column + 3))
            ]
            result[row, column] = all(covered) if every else any(covered)
    return result


@pytest.fixture
def blob() -> np.ndarray:
    """A random 12 × 16 mask of solid patches, values 0 and 255."""
    coarse = np.random.default_rng(5).random((3, 4)) < 0.5
    assert 0 < coarse.sum() < coarse.size
    return np.kron(coarse, np.ones((4, 4))).astype(np.uint8) * 255


def test_mask_any_value_above_zero_is_anomalous(tmp_path: Path) -> None:
    image = defective(tmp_path, grey([[0, 1, 0], [3, 0, 255]]))
    np.testing.assert_array_equal(load_mask(tmp_path, image), [[False, True, False], [True, False, True]])


def test_mask_of_sixteen_bits_keeps_small_values(tmp_path: Path) -> None:
    image = defective(tmp_path, Image.fromarray(np.array([[0, 1], [256, 65535]], dtype=np.uint16)))
    np.testing.assert_array_equal(load_mask(tmp_path, image), [[False, True], [True, True]])


def test_mask_of_one_bit_is_read(tmp_path: Path) -> None:
    image = defective(tmp_path, grey([[0, 255], [255, 0]]).convert("1"))
    np.testing.assert_array_equal(load_mask(tmp_path, image), [[False, True], [True, False]])


def test_mask_in_jpeg_is_cut_at_half(tmp_path: Path) -> None:
    square = np.zeros((24, 24), dtype=np.uint8)
    square[5:13, 3:14] = 255
    image = defective(tmp_path, grey(square), "mask.jpg")
    assert np.any((np.asarray(Image.open(tmp_path / "mask.jpg")) > 0) != (square > 0))
    np.testing.assert_array_equal(load_mask(tmp_path, image), square > 0)


def test_mask_of_a_normal_image_is_empty_at_its_size(tmp_path: Path) -> None:
    grey(np.full((3, 5), 200)).save(tmp_path / "image.png")
    mask = load_mask(tmp_path, LabelledImage("image.png", "good", 0))
    assert (mask.shape, mask.dtype, mask.any()) == ((3, 5), np.bool_, False)


@pytest.mark.parametrize("kind", ["jpg", "png", "tiff"])
def test_mask_of_a_normal_image_is_upright(tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    grey(np.full((20, 40), 200)).save(tmp_path / f"image.{kind}", exif=exif)
    assert load_mask(tmp_path, LabelledImage(f"image.{kind}", "good", 0)).shape == (40, 20)


def test_mask_and_image_that_run_another_program_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, calls = tmp_path / "bin", tmp_path / "calls"
    programs.mkdir()
    (programs / "gs").write_text(f'#!/bin/sh\necho "$@" >> "{calls}"\n')
    (programs / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # found once per process
    (tmp_path / "000_mask.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    )
    for image in (
        LabelledImage("000.png", "bad", 1, (Mask("000_mask.png"),)),
        LabelledImage("000_mask.png", "good", 0),
    ):
        with pytest.raises(UnreadableImageError, match=r"000_mask\.png' \(its content must be one of PNG, .* is none"):
            load_mask(tmp_path, image)
    assert not calls.exists()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_mask_and_image_beyond_the_pixel_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = defective(tmp_path, grey(np.zeros((5, 5))))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 24)
    for each in (image, LabelledImage("mask.png", "good", 0)):
        with pytest.raises(UnreadableImageError, match=r"mask\.png' \(it must have at most 24 pixels, got 5 × 5"):
            load_mask(tmp_path, each)


def test_mask_undecodable_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"no image")
    expected = re.escape(f"image must be decodable, got '{tmp_path / 'mask.png'}'")
    with pytest.raises(UnreadableImageError, match=expected):
        load_mask(tmp_path, LabelledImage("image.png", "bad", 1, (Mask("mask.png"),)))


def test_mask_truncated_is_refused(tmp_path: Path) -> None:
    image = defective(tmp_path, grey(np.random.default_rng(1).integers(0, 255, (40, 40))))
    content = (tmp_path / "mask.png").read_bytes()
    (tmp_path / "mask.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(UnreadableImageError, match="image must be decodable"):
        load_mask(tmp_path, image)


def test_mask_gone_since_the_listing_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_mask(tmp_path, LabelledImage("image.png", "bad", 1, (Mask("mask.png"),)))


@pytest.mark.parametrize("dataset", ["mvtec_ad", "btad", "folder", "mvtec_loco"])
def test_mask_at_network_size_counts_only_full_pixels(tmp_path: Path, blob: np.ndarray, dataset: str) -> None:
    image = defective(tmp_path, grey(blob))
    np.testing.assert_array_equal(load_mask_at(tmp_path, image, (6, 8), dataset), halved(blob, every=True))


def test_mask_at_network_size_counts_every_touched_pixel_for_visa(tmp_path: Path, blob: np.ndarray) -> None:
    image = defective(tmp_path, grey(blob))
    np.testing.assert_array_equal(load_mask_at(tmp_path, image, (6, 8), "visa"), halved(blob, every=False))


def test_mask_at_its_own_size_is_unchanged(tmp_path: Path, blob: np.ndarray) -> None:
    image = defective(tmp_path, grey(blob))
    np.testing.assert_array_equal(load_mask_at(tmp_path, image, (12, 16), "mvtec_ad"), blob > 0)


def test_mask_at_network_size_takes_visa_values_as_they_are(tmp_path: Path) -> None:
    image = defective(tmp_path, grey([[0, 0, 3, 3]]))
    # A seventh of the left pixel's weight lies on a 3: 0.43, which rounds to 0. Made 255 first, it would count.
    np.testing.assert_array_equal(load_mask_at(tmp_path, image, (1, 2), "visa"), [[False, True]])


@pytest.mark.parametrize(("dataset", "expected"), [("mvtec_ad", False), ("btad", False), ("folder", True)])
def test_mask_at_network_size_of_half_grey_counts_in_own_sets_only(
    tmp_path: Path, dataset: str, expected: bool
) -> None:
    image = defective(tmp_path, grey(np.repeat([[128, 128, 255, 0]], 4, axis=0)))
    mask = load_mask_at(tmp_path, image, (4, 4), dataset)
    assert (mask[:, :2].all(), mask[:, :2].any(), mask[:, 2].all()) == (expected, expected, True)


def test_mask_at_network_size_unites_loco_channels(tmp_path: Path) -> None:
    grey([[255, 0], [0, 0]]).save(tmp_path / "0.png")
    grey([[0, 0], [0, 254]]).save(tmp_path / "1.png")
    grey([[9, 9], [9, 9]]).save(tmp_path / "image.png")
    image = LabelledImage("image.png", "logical_anomalies", 1, (Mask("0.png"), Mask("1.png")))
    mask = load_mask_at(tmp_path, image, (2, 2), "mvtec_loco")
    np.testing.assert_array_equal(mask, [[True, False], [False, True]])


def test_mask_at_network_size_of_a_normal_image_opens_nothing(tmp_path: Path) -> None:
    mask = load_mask_at(tmp_path, LabelledImage("absent.png", "good", 0), (3, 5), "mvtec_ad")
    assert (mask.shape, mask.dtype, mask.any()) == ((3, 5), np.bool_, False)


def test_mask_of_a_defective_image_without_one_is_refused_and_not_empty(tmp_path: Path) -> None:
    image = LabelledImage("part.png", "bad", 1)
    for load in (lambda: load_mask(tmp_path, image), lambda: load_mask_at(tmp_path, image, (4, 4), "folder")):
        with pytest.raises(ValueError, match=r"must have a mask, as it is defective, got none for part\.png"):
            load()


@pytest.mark.parametrize("name", ["mask.webp", "mask.jp2"])
def test_mask_in_a_lossy_format_is_cut_at_half(tmp_path: Path, name: str) -> None:
    square = np.zeros((32, 32), dtype=np.uint8)
    square[5:21, 7:24] = 255
    smooth = np.asarray(grey(square).resize((64, 64), Image.Resampling.BILINEAR).resize((32, 32)))
    image = defective(tmp_path, grey(np.maximum(smooth, 3)), name)
    found = load_mask(tmp_path, image)
    assert 0 < found.sum() < found.size
    assert not found[square == 0][:100].any()


def test_mask_in_floating_point_marks_every_value_above_zero(tmp_path: Path) -> None:
    image = defective(tmp_path, Image.fromarray(np.array([[0, 0.2], [1, 300]], dtype=np.float32)), "mask.tiff")
    np.testing.assert_array_equal(load_mask(tmp_path, image), [[False, True], [True, True]])


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_mask_with_negative_or_undefined_values_is_refused(tmp_path: Path, value: float) -> None:
    image = defective(tmp_path, Image.fromarray(np.array([[0, 1], [1, value]], dtype=np.float32)), "mask.tiff")
    with pytest.raises(UnreadableImageError, match=r"mask\.tiff.*negative or undefined values"):
        load_mask(tmp_path, image)


def test_mask_of_several_pages_is_refused(tmp_path: Path) -> None:
    image = defective(tmp_path, grey([[0, 255], [0, 0]]), "mask.tiff")
    first, second = grey([[0, 255], [0, 0]]), grey([[0, 0], [255, 0]])
    first.save(tmp_path / "mask.tiff", save_all=True, append_images=[second])
    with pytest.raises(UnreadableImageError, match=r"mask\.tiff.*holds 2 frames or pages"):
        load_mask(tmp_path, image)
