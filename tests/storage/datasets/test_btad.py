"""BTAD: images and masks in png or bmp, not always the same."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.datasets import list_categories
from storage.errors import DatasetLayoutError


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), 200, dtype=np.uint8)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Products 01 (bmp, masks png), 02 (png) and 03 (bmp)."""
    for product, image_suffix, mask_suffix in (("01", "bmp", "png"), ("02", "png", "png"), ("03", "bmp", "bmp")):
        for stem in ("0000", "0001"):
            write_image(tmp_path / product / "test" / "ok" / f"{stem}.{image_suffix}")
            write_image(tmp_path / product / "test" / "ko" / f"{stem}.{image_suffix}")
            write_image(tmp_path / product / "ground_truth" / "ko" / f"{stem}.{mask_suffix}")
    return tmp_path


def test_btad_products_are_in_order(root: Path) -> None:
    assert [category.name for category in list_categories("btad", root)] == ["01", "02", "03"]


def test_btad_mask_may_have_another_suffix(root: Path) -> None:
    first = list_categories("btad", root, ["01"])[0].images[0]
    assert (first.path, first.masks[0].path) == ("01/test/ko/0000.bmp", "01/ground_truth/ko/0000.png")


def test_btad_ok_is_normal_and_ko_defective(root: Path) -> None:
    images = list_categories("btad", root, ["02"])[0].images
    assert [(image.defect_type, image.label) for image in images] == [("ko", 1), ("ko", 1), ("ok", 0), ("ok", 0)]


def test_btad_ok_images_have_no_mask(root: Path) -> None:
    assert all(not image.masks for image in list_categories("btad", root)[2].images if image.label == 0)


def test_btad_mask_is_found_by_stem_not_by_position(root: Path) -> None:
    (root / "03" / "ground_truth" / "ko" / "0000.bmp").unlink()
    write_image(root / "03" / "ground_truth" / "ko" / "0002.bmp")
    with pytest.raises(DatasetLayoutError, match=r"ko/0000\.bmp has no mask in 03/\S+\n.*ko/0002\.bmp belongs"):
        list_categories("btad", root)


def test_btad_refuses_two_masks_for_one_image(root: Path) -> None:
    write_image(root / "01" / "ground_truth" / "ko" / "0001.bmp")
    with pytest.raises(DatasetLayoutError, match=r"01/test/ko/0001.bmp must have one mask, got 0001.bmp, 0001.png"):
        list_categories("btad", root)


def test_btad_refuses_two_ko_images_of_one_stem(root: Path) -> None:
    write_image(root / "01" / "test" / "ko" / "0001.png")
    with pytest.raises(DatasetLayoutError, match=r"must have a stem of its own, got 0001.bmp, 0001.png"):
        list_categories("btad", root)


def test_btad_takes_a_ko_image_without_mask_as_one_of_unknown_pixels(root: Path) -> None:
    (root / "02" / "ground_truth" / "ko" / "0001.png").unlink()
    images = list_categories("btad", root, ["02"])[0].images
    assert [image.path for image in images if not image.pixels_known] == ["02/test/ko/0001.png"]


def test_btad_names_a_type_it_does_not_know(root: Path) -> None:
    write_image(root / "02" / "test" / "good" / "0000.png")
    with pytest.raises(DatasetLayoutError, match="02/test/good is not a type of this dataset; known: ok, ko"):
        list_categories("btad", root)


@pytest.mark.parametrize("kind", ["ok", "ko"])
def test_btad_names_a_missing_type(root: Path, kind: str) -> None:
    (root / "02" / "test" / kind).rename(root / "02" / "test" / ".aside")
    with pytest.raises(DatasetLayoutError, match=f"got 1 problem in .*\n  - 02/test/{kind} is missing"):
        list_categories("btad", root)


def test_btad_reports_all_products_at_once(root: Path) -> None:
    (root / "01" / "test").rename(root / "01" / "tests")
    write_image(root / "02" / "ground_truth" / "ko" / "0007.png")
    with pytest.raises(DatasetLayoutError, match=r"01/test is missing\n.*02/ground_truth/ko/0007.png belongs to no"):
        list_categories("btad", root)


def test_btad_error_shows_a_correct_layout(root: Path) -> None:
    (root / "01" / "test").rename(root / "01" / "tests")
    with pytest.raises(DatasetLayoutError, match=r"lay the files out like this:\n  01/test/ok/0000\.bmp"):
        list_categories("btad", root)
