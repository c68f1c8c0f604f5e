"""VisA: rows of `split_csv/1cls.csv`, and paths in it that must not be followed."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.datasets import list_categories
from storage.errors import DatasetLayoutError

HEADER = "object,split,label,image,mask"


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), 1, dtype=np.uint8)).save(path)


def write_split(root: Path, *rows: str) -> None:
    (root / "split_csv").mkdir(exist_ok=True)
    (root / "split_csv" / "1cls.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")


@pytest.fixture
def rows() -> list[str]:
    """The rows of two objects, pcb1 with two images in each class."""
    return [
        "pcb1,train,normal,pcb1/Data/Images/Normal/0005.JPG,",
        "pcb1,test,anomaly,pcb1/Data/Images/Anomaly/001.JPG,pcb1/Data/Masks/Anomaly/001.png",
        "pcb1,test,anomaly,pcb1/Data/Images/Anomaly/000.JPG,pcb1/Data/Masks/Anomaly/000.png",
        "pcb1,test,normal,pcb1/Data/Images/Normal/0000.JPG,",
        "candle,test,normal,candle/Data/Images/Normal/0000.JPG,",
        "candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png",
    ]


@pytest.fixture
def root(tmp_path: Path, rows: list[str]) -> Path:
    """A dataset with every file that `rows` names, one level below a folder where attackers may write."""
    root = tmp_path / "VisA"
    for row in rows:
        for name in row.split(",")[3:]:
            if name:
                write_image(root / name)
    write_split(root, *rows)
    return root


def test_visa_images_carry_label_and_mask(root: Path) -> None:
    pcb1 = list_categories("visa", root, ["pcb1"])[0]
    listed = [(image.path, image.defect_type, image.label, [m.path for m in image.masks]) for image in pcb1.images]
    assert listed == [
        ("pcb1/Data/Images/Anomaly/000.JPG", "anomaly", 1, ["pcb1/Data/Masks/Anomaly/000.png"]),
        ("pcb1/Data/Images/Anomaly/001.JPG", "anomaly", 1, ["pcb1/Data/Masks/Anomaly/001.png"]),
        ("pcb1/Data/Images/Normal/0000.JPG", "normal", 0, []),
    ]


def test_visa_names_in_another_normal_form_are_found(tmp_path: Path) -> None:
    composed, decomposed = "geh\u00e4use", "geha\u0308use"
    row = "{0},test,anomaly,{0}/Data/Images/{0}.JPG,{0}/Data/Masks/{0}.png"
    write_image(tmp_path / f"{decomposed}/Data/Images/{decomposed}.JPG")
    write_image(tmp_path / f"{decomposed}/Data/Masks/{decomposed}.png")
    write_image(tmp_path / f"{decomposed}/Data/Images/good.JPG")
    write_split(tmp_path, row.format(composed), f"{composed},test,normal,{composed}/Data/Images/good.JPG,")
    (found,) = list_categories("visa", tmp_path)
    assert [image.path for image in found.images] == [
        f"{decomposed}/Data/Images/{decomposed}.JPG",
        f"{decomposed}/Data/Images/good.JPG",
    ]
    assert [mask.path for mask in found.images[0].masks] == [f"{decomposed}/Data/Masks/{decomposed}.png"]


def test_visa_objects_are_alphabetical(root: Path) -> None:
    assert [category.name for category in list_categories("visa", root)] == ["candle", "pcb1"]


def test_visa_table_may_start_with_a_byte_order_mark(root: Path) -> None:
    expected = list_categories("visa", root)
    table = root / "split_csv" / "1cls.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    assert list_categories("visa", root) == expected


def test_visa_unknown_object_is_refused_with_the_known_ones(root: Path) -> None:
    with pytest.raises(DatasetLayoutError, match="category 'pcb9' is unknown; known: candle, pcb1"):
        list_categories("visa", root, ["candle", "pcb9"])


def test_visa_rows_of_other_objects_are_not_checked(root: Path, rows: list[str]) -> None:
    write_split(root, *rows, "fryum,test,normal,/etc/passwd,")
    assert [category.name for category in list_categories("visa", root, ["candle"])] == ["candle"]


@pytest.mark.parametrize("path", ["/etc/passwd", "C:/photos/1.png", "\\photos\\1.png"])
def test_visa_absolute_path_is_refused(root: Path, rows: list[str], path: str) -> None:
    write_split(root, *rows, f"candle,test,normal,{path},")
    expected = f"1cls.csv line 8: image must be relative to the root, got {path!r}"
    with pytest.raises(DatasetLayoutError, match=re.escape(expected)):
        list_categories("visa", root)


@pytest.mark.parametrize("path", ["../secret.png", "candle/../../secret.png", "candle\\..\\..\\secret.png"])
def test_visa_path_that_climbs_out_is_refused(root: Path, rows: list[str], path: str) -> None:
    write_image(root.parent / "secret.png")
    write_split(root, *rows, f"candle,test,normal,{path},")
    with pytest.raises(DatasetLayoutError, match=re.escape(f"image must stay inside the root, got {path!r}")):
        list_categories("visa", root)


def test_visa_mask_path_is_checked_too(root: Path, rows: list[str]) -> None:
    write_split(root, *rows, "candle,test,anomaly,candle/Data/Images/Normal/0000.JPG,../secret.png")
    with pytest.raises(DatasetLayoutError, match=re.escape("mask must stay inside the root, got '../secret.png'")):
        list_categories("visa", root)


def test_visa_link_out_of_the_root_is_refused(root: Path, rows: list[str]) -> None:
    write_image(root.parent / "secret.png")
    (root / "candle" / "link.png").symlink_to(root.parent / "secret.png")
    write_split(root, *rows, "candle,test,normal,candle/link.png,")
    with pytest.raises(
        DatasetLayoutError, match=r"must stay inside the root, got 'candle/link\.png', a link to .*secret"
    ):
        list_categories("visa", root)


def test_visa_link_within_the_root_is_followed(root: Path, rows: list[str]) -> None:
    (root / "candle" / "link.JPG").symlink_to(root / "candle" / "Data" / "Images" / "Normal" / "0000.JPG")
    write_split(root, *rows, "candle,test,normal,candle/link.JPG,")
    assert len(list_categories("visa", root, ["candle"])[0].images) == 3


def test_visa_path_too_long_for_any_disk_is_refused(root: Path, rows: list[str]) -> None:
    write_split(root, *rows, f"candle,test,normal,{'x' * 5000},")
    with pytest.raises(DatasetLayoutError, match="image must be a usable path, got 'xxx"):
        list_categories("visa", root)


def test_visa_missing_files_are_named(root: Path) -> None:
    (root / "candle/Data/Images/Normal/0000.JPG").unlink()
    (root / "pcb1/Data/Images/Anomaly/001.JPG").unlink()
    with pytest.raises(DatasetLayoutError) as caught:
        list_categories("visa", root)
    assert "line 6: image 'candle/Data/Images/Normal/0000.JPG' is missing" in str(caught.value)
    assert "line 3: image 'pcb1/Data/Images/Anomaly/001.JPG' is missing" in str(caught.value)


def test_visa_anomaly_without_mask_is_one_of_unknown_pixels(root: Path, rows: list[str]) -> None:
    (root / "pcb1/Data/Masks/Anomaly/001.png").unlink()
    write_image(root / "candle/Data/Images/Anomaly/001.JPG")
    write_split(root, *rows, "candle,test,anomaly,candle/Data/Images/Anomaly/001.JPG,")
    unknown = [image.path for part in list_categories("visa", root) for image in part.images if not image.pixels_known]
    assert unknown == ["candle/Data/Images/Anomaly/001.JPG", "pcb1/Data/Images/Anomaly/001.JPG"]


def test_visa_unknown_label_is_refused(root: Path, rows: list[str]) -> None:
    write_split(root, *rows, "candle,test,defect,candle/Data/Images/Normal/0000.JPG,")
    with pytest.raises(DatasetLayoutError, match="line 8: label must be normal or anomaly, got 'defect'"):
        list_categories("visa", root)


def test_visa_image_listed_twice_is_refused(root: Path, rows: list[str]) -> None:
    write_split(root, *rows, rows[3])
    with pytest.raises(DatasetLayoutError, match=r"must name each image once, got 'pcb1/\S+' on lines 5, 8"):
        list_categories("visa", root)


def test_visa_object_without_normal_images_is_refused(root: Path, rows: list[str]) -> None:
    write_split(root, *rows[:3])
    with pytest.raises(DatasetLayoutError, match="must have normal rows for 'pcb1' in the split test, got none"):
        list_categories("visa", root)


def test_visa_missing_table_is_refused(root: Path) -> None:
    (root / "split_csv" / "1cls.csv").unlink()
    with pytest.raises(DatasetLayoutError, match=r"1cls\.csv is missing\n"):
        list_categories("visa", root)


def test_visa_root_one_level_too_high_names_the_child(root: Path) -> None:
    with pytest.raises(DatasetLayoutError, match=f"1cls.csv is missing; '{root}' looks like the root"):
        list_categories("visa", root.parent)


def test_visa_table_without_a_column_is_refused(root: Path) -> None:
    (root / "split_csv" / "1cls.csv").write_text("object,label,image\n", encoding="utf-8")
    with pytest.raises(DatasetLayoutError, match=r"1cls\.csv lacks the columns split, mask"):
        list_categories("visa", root)


def test_visa_table_without_test_rows_is_refused(root: Path, rows: list[str]) -> None:
    write_split(root, rows[0])
    with pytest.raises(DatasetLayoutError, match=r"1cls\.csv has no row whose split is test"):
        list_categories("visa", root)


def test_visa_table_that_is_no_text_is_refused(root: Path) -> None:
    (root / "split_csv" / "1cls.csv").write_bytes(HEADER.encode() + b"\n\xff\xfe,test")
    with pytest.raises(DatasetLayoutError, match=r"1cls\.csv must be a table in UTF-8, got"):
        list_categories("visa", root)


def test_visa_error_shows_a_correct_layout(root: Path) -> None:
    (root / "split_csv" / "1cls.csv").unlink()
    with pytest.raises(DatasetLayoutError, match=f"lay the files out like this:\n  split_csv/1cls.csv .*{HEADER}"):
        list_categories("visa", root)
