"""MVTec AD and `folder`: which files are listed, and what is said about the others."""

import re
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
    """Two categories as MVTec AD names them."""
    for category in ("zipper", "bottle"):
        for stem in ("000", "001"):
            write_image(tmp_path / category / "test" / "good" / f"{stem}.png")
            write_image(tmp_path / category / "test" / "broken" / f"{stem}.png")
            write_image(tmp_path / category / "ground_truth" / "broken" / f"{stem}_mask.png")
        write_image(tmp_path / category / "train" / "good" / "000.png")
    return tmp_path


def problems(root: Path, dataset: str = "mvtec_ad") -> list[str]:
    with pytest.raises(DatasetLayoutError) as caught:
        list_categories(dataset, root)
    return [line.removeprefix("  - ") for line in str(caught.value).splitlines() if line.startswith("  - ")]


def test_mvtec_ad_images_carry_label_type_and_mask(root: Path) -> None:
    bottle = list_categories("mvtec_ad", root)[0]
    listed = [(image.path, image.defect_type, image.label, [m.path for m in image.masks]) for image in bottle.images]
    assert listed == [
        ("bottle/test/broken/000.png", "broken", 1, ["bottle/ground_truth/broken/000_mask.png"]),
        ("bottle/test/broken/001.png", "broken", 1, ["bottle/ground_truth/broken/001_mask.png"]),
        ("bottle/test/good/000.png", "good", 0, []),
        ("bottle/test/good/001.png", "good", 0, []),
    ]


def test_mvtec_ad_categories_are_alphabetical(root: Path) -> None:
    assert [category.name for category in list_categories("mvtec_ad", root)] == ["bottle", "zipper"]


def test_mvtec_ad_category_says_its_dataset(root: Path) -> None:
    assert {category.dataset for category in list_categories("folder", root)} == {"folder"}


def test_masks_and_categories_are_found_in_another_normal_form(root: Path) -> None:
    write_image(root / "Ka\u0308fig" / "test" / "good" / "1.png")
    write_image(root / "Ka\u0308fig" / "test" / "dent" / "Geha\u0308use.png")
    write_image(root / "Ka\u0308fig" / "ground_truth" / "dent" / "Gehäuse_mask.png")
    images = list_categories("folder", root, ["Käfig"])[0].images
    assert [len(image.masks) for image in images if image.label] == [1]


def test_folder_accepts_any_suffix_in_any_case(root: Path) -> None:
    write_image(root / "bottle" / "test" / "dent" / "7.TIF")
    write_image(root / "bottle" / "ground_truth" / "dent" / "7_mask.BMP")
    images = {image.path: image for image in list_categories("folder", root, ["bottle"])[0].images}
    assert images["bottle/test/dent/7.TIF"].masks[0].path == "bottle/ground_truth/dent/7_mask.BMP"


def test_folder_accepts_masks_named_as_their_images(root: Path) -> None:
    write_image(root / "bottle" / "test" / "dent" / "7.jpg")
    write_image(root / "bottle" / "ground_truth" / "dent" / "7.png")
    images = {image.path: image for image in list_categories("folder", root, ["bottle"])[0].images}
    assert images["bottle/test/dent/7.jpg"].masks[0].path == "bottle/ground_truth/dent/7.png"


def test_folder_orders_images_as_people_count(root: Path) -> None:
    for number in (10, 9, 2):
        write_image(root / "bottle" / "test" / "good" / f"part{number}.png")
    names = [Path(image.path).name for image in list_categories("folder", root, ["bottle"])[0].images]
    assert names[-3:] == ["part2.png", "part9.png", "part10.png"]


def test_folder_ignores_what_systems_leave_behind(root: Path) -> None:
    expected = list_categories("folder", root)
    for junk in (".DS_Store", "._000.png", "Thumbs.db", "notes.txt"):
        (root / "bottle" / "test" / "good" / junk).write_bytes(b"junk")
    write_image(root / "__MACOSX" / "test" / "good" / "000.png")
    write_image(root / "bottle" / "test" / ".cache" / "000.png")
    assert list_categories("folder", root) == expected


def test_folder_ignores_masks_of_normal_images(root: Path) -> None:
    expected = list_categories("folder", root)
    write_image(root / "bottle" / "ground_truth" / "good" / "000_mask.png")
    assert list_categories("folder", root) == expected


def test_folder_takes_a_defective_image_without_mask_as_one_of_unknown_pixels(root: Path) -> None:
    (root / "bottle" / "ground_truth" / "broken" / "001_mask.png").unlink()
    known = {image.path: image.pixels_known for image in list_categories("folder", root, ["bottle"])[0].images}
    assert [path for path, is_known in known.items() if not is_known] == ["bottle/test/broken/001.png"]
    assert len(known) == 4


def test_folder_without_any_masks_is_listed_whole(root: Path) -> None:
    (root / "bottle" / "ground_truth").rename(root / "bottle" / ".aside")
    images = list_categories("folder", root, ["bottle"])[0].images
    assert [(image.label, image.masks) for image in images] == [(1, ()), (1, ()), (0, ()), (0, ())]


def test_folder_names_images_without_mask_beside_masks_without_image(root: Path) -> None:
    masks = root / "bottle" / "ground_truth" / "broken"
    (masks / "001_mask.png").rename(masks / "01_mask.png")
    assert problems(root) == [
        "bottle/test/broken/001.png has no mask in bottle/ground_truth/broken",
        "bottle/ground_truth/broken/01_mask.png belongs to no image",
    ]


def test_folder_names_masks_outside_a_type(root: Path) -> None:
    write_image(root / "bottle" / "ground_truth" / "000_mask.png")
    assert problems(root) == ["bottle/ground_truth must hold one folder per type, got 1 masks beside them"]


def test_folder_names_a_mask_without_image(root: Path) -> None:
    write_image(root / "bottle" / "ground_truth" / "broken" / "002_mask.png")
    assert problems(root) == ["bottle/ground_truth/broken/002_mask.png belongs to no image"]


def test_folder_names_masks_of_a_type_without_images(root: Path) -> None:
    write_image(root / "bottle" / "ground_truth" / "scratch" / "000_mask.png")
    assert problems(root) == ["bottle/ground_truth/scratch holds masks without bottle/test/scratch"]


def test_folder_refuses_two_masks_for_one_image(root: Path) -> None:
    write_image(root / "bottle" / "ground_truth" / "broken" / "000.png")
    assert problems(root) == ["bottle/test/broken/000.png must have one mask, got 000_mask.png, 000.png"]


def test_folder_refuses_two_defective_images_of_one_stem(root: Path) -> None:
    write_image(root / "bottle" / "test" / "broken" / "000.bmp")
    assert problems(root) == ["bottle/test/broken/000.bmp must have a stem of its own, got 000.bmp, 000.png"]


def test_folder_names_a_missing_test_folder(root: Path) -> None:
    (root / "bottle" / "test").rename(root / "bottle" / "tests")
    assert problems(root) == ["bottle/test is missing"]


def test_folder_names_a_missing_normal_type(root: Path) -> None:
    (root / "bottle" / "test" / "good").rename(root / "bottle" / ".good")
    assert problems(root) == ["bottle/test/good is missing"]


def test_folder_needs_a_defect_type(root: Path) -> None:
    (root / "bottle" / "test" / "broken").rename(root / "bottle" / ".broken")
    (root / "bottle" / "ground_truth").rename(root / "bottle" / ".ground_truth")
    assert problems(root) == ["bottle/test must hold a defect type beside good, got none"]


def test_folder_names_a_type_without_images(root: Path) -> None:
    (root / "bottle" / "test" / "scratch").mkdir()
    assert problems(root) == ["bottle/test/scratch holds no image"]


def test_folder_names_images_outside_a_type(root: Path) -> None:
    write_image(root / "bottle" / "test" / "000.png")
    assert problems(root) == ["bottle/test must hold one folder per type, got 1 image beside them"]


def test_folder_names_a_folder_inside_a_type(root: Path) -> None:
    write_image(root / "bottle" / "test" / "good" / "monday" / "000.png")
    assert problems(root) == ["bottle/test/good/monday must not be a folder; images lie directly in test/<type>"]


def test_folder_reports_all_problems_of_all_categories_at_once(root: Path) -> None:
    (root / "bottle" / "ground_truth" / "broken" / "000_mask.png").rename(
        root / "bottle" / "ground_truth" / "broken" / "7.png"
    )
    write_image(root / "zipper" / "ground_truth" / "broken" / "005_mask.png")
    (root / "zipper" / "test" / "good").rename(root / "zipper" / "test" / "Good")
    found = "\n".join(problems(root))
    for expected in (
        "bottle/test/broken/000.png has no mask",
        "005_mask.png belongs to",
        "zipper/test/good is missing",
    ):
        assert expected in found


def test_folder_shows_twenty_problems_and_counts_the_rest(root: Path) -> None:
    for number in range(100, 123):
        write_image(root / "bottle" / "ground_truth" / "broken" / f"{number}_mask.png")
    with pytest.raises(DatasetLayoutError, match=r"got 23 problems in (?s:.*)… and 3 more\n") as caught:
        list_categories("folder", root)
    assert str(caught.value).count("belongs to no image") == 20


def test_folder_error_shows_a_correct_layout(root: Path) -> None:
    write_image(root / "bottle" / "ground_truth" / "broken" / "007_mask.png")
    with pytest.raises(DatasetLayoutError, match=re.escape("<category>/ground_truth/<type>/000_mask.png")):
        list_categories("folder", root)
