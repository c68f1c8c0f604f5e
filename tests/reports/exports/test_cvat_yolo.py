"""CVAT's XML and YOLO's archives, read back by an XML parser and from the lines as YOLO has them."""

import io
import zipfile
from xml.etree import ElementTree

import pytest

from reports.exports.csv_coco_labelstudio import Marked
from reports.exports.cvat_yolo import as_cvat, as_yolo
from storage.images.lots import ListedImage

BOX = {"shape": "box", "points": [(2.0, 4.0), (12.0, 4.0), (12.0, 9.0), (2.0, 9.0)]}
TRIANGLE = {"shape": "outline", "points": [(20.0, 10.0), (30.0, 10.0), (20.0, 25.0)]}


def marked(path: str, label: str = "defective", *regions: dict[str, object]) -> Marked:
    image = ListedImage(image_id=path, path=path, sha256="0" * 64, width=40, height=50, status="ok", reason="")
    return Marked(image, label, regions)


def files_of(images: list[Marked], *, outlines: bool = False) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(as_yolo(images, outlines=outlines))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_cvat_has_each_image_with_its_tag_and_places() -> None:
    read = ElementTree.fromstring(
        as_cvat([marked("a.png", "defective", BOX, TRIANGLE), marked("b.png", "good")], "", "")
    )
    assert [image.get("name") for image in read.iter("image")] == ["a.png", "b.png"]
    assert [tag.get("label") for tag in read.iter("tag")] == ["defective", "good"]
    (box,), (polygon,) = read.iter("box"), read.iter("polygon")
    assert [box.get(side) for side in ("xtl", "ytl", "xbr", "ybr")] == ["2.00", "4.00", "12.00", "9.00"]
    assert polygon.get("points") == "20.00,10.00;30.00,10.00;20.00,25.00"
    assert {label.findtext("name") for label in read.iter("label")} == {"defective", "good"}


@pytest.mark.parametrize("path", ['"/><x>&amp;.png', "line\nbreak\t.png", "größe 部品.png", "'.png"])
def test_cvat_keeps_names_whatever_they_hold(path: str) -> None:
    read = ElementTree.fromstring(as_cvat([marked(path)], path, "manual"))
    assert [image.get("name") for image in read.iter("image")] == [path]
    assert read.findtext("meta/task/name") == path


def test_cvat_replaces_characters_that_xml_cannot_hold() -> None:
    (image,) = ElementTree.fromstring(as_cvat([marked("a\x01\udc80.png")], "\x00", "manual")).iter("image")
    assert image.get("name") == "a\ufffd\ufffd.png"


def test_yolo_boxes_are_fractions_of_the_image() -> None:
    files = files_of([marked("below/a.png", "defective", BOX, TRIANGLE)])
    assert files["labels/below/a.txt"] == (
        "0 0.175000 0.130000 0.250000 0.100000\n0 0.625000 0.350000 0.250000 0.300000\n"
    )
    assert files["images.txt"] == "./images/below/a.png\n"
    assert "names:\n  0: defective\n" in files["data.yaml"]


def test_yolo_segments_are_corners_within_the_image() -> None:
    beyond = {"shape": "outline", "points": [(-4.0, 0.0), (44.0, 0.0), (20.0, 60.0)]}
    files = files_of([marked("a.png", "defective", TRIANGLE, beyond)], outlines=True)
    assert files["labels/a.txt"].splitlines() == [
        "0 0.500000 0.200000 0.750000 0.200000 0.500000 0.500000",
        "0 0.000000 0.000000 1.000000 0.000000 0.500000 1.000000",
    ]


def test_yolo_takes_no_unmarked_defect_for_a_good_image() -> None:
    files = files_of([marked("good.png", "good"), marked("bad.png"), marked("unsure.png", "unsure")])
    assert files["labels/good.txt"] == ""
    assert files["images.txt"] == "./images/good.png\n"
    assert set(files) == {"data.yaml", "images.txt", "labels/good.txt"}


@pytest.mark.parametrize(
    ("paths", "error"),
    [
        (("a.png", "a.jpg"), "must differ before their suffix for YOLO, got 'a.png' and 'a.jpg'"),
        (("a\nb.png",), "must be one line of text for YOLO"),
        (("a\udc80.png",), "must be one line of text for YOLO"),
    ],
)
def test_yolo_refuses_names_that_it_would_confuse(paths: tuple[str, ...], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        as_yolo([marked(path, "good") for path in paths], outlines=False)


def test_yolo_is_the_same_bytes_each_time() -> None:
    images = [marked("a.png", "defective", BOX), marked("b.png", "good")]
    assert as_yolo(images, outlines=False) == as_yolo(images, outlines=False)
