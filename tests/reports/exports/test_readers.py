"""Exports read back by readers that others wrote: pycocotools and supervision.

Those of CVAT's XML and of Label Studio's tasks cannot be installed beside this project; docs/report.md says how they
read.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.exports.csv_coco_labelstudio import Marked, as_coco, json_bytes
from reports.exports.cvat_yolo import as_yolo
from storage.images.lots import ListedImage

WIDTH, HEIGHT = 40, 50
BOX = {"shape": "box", "points": [(2.0, 4.0), (12.0, 4.0), (12.0, 9.0), (2.0, 9.0)]}
TRIANGLE = {"shape": "outline", "points": [(20.0, 10.0), (30.0, 10.0), (20.0, 25.0)]}
KINDS = ("dent", "scratch: deep")


def marked(path: str, label: str, *regions: dict[str, object], kind: str = "") -> Marked:
    image = ListedImage(image_id=path, path=path, sha256="0" * 64, width=WIDTH, height=HEIGHT, status="ok", reason="")
    return Marked(image, label, regions, kind=kind)


@pytest.fixture
def images() -> list[Marked]:
    """A scratch with two places, a good part, and a defect of no kind with one place."""
    return [
        marked("a.png", "defective", BOX, TRIANGLE, kind=KINDS[1]),
        marked("größe.png", "good"),
        marked("c.png", "defective", TRIANGLE),
    ]


@pytest.mark.filterwarnings("ignore")
def test_pycocotools_reads_coco(images: list[Marked], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed: make setup")
    file = tmp_path / "coco.json"
    file.write_bytes(json_bytes(as_coco(images, "a lot", KINDS)))
    read = coco.COCO(str(file))
    assert {one["name"] for one in read.loadCats(read.getCatIds())} == {"defective", *KINDS}
    of_image = {one["file_name"]: read.loadAnns(read.getAnnIds(one["id"])) for one in read.loadImgs(read.getImgIds())}
    assert {path: len(places) for path, places in of_image.items()} == {"a.png": 2, "größe.png": 0, "c.png": 1}
    box, triangle = of_image["a.png"]
    assert read.loadCats(box["category_id"])[0]["name"] == KINDS[1]
    filled = np.zeros((HEIGHT, WIDTH), dtype=bool)
    filled[4:9, 2:12] = True
    np.testing.assert_array_equal(read.annToMask(box).astype(bool), filled)
    assert read.annToMask(triangle).sum() == pytest.approx(triangle["area"], abs=12), "half of 10 x 15 pixels"


def unpacked(images: list[Marked], folder: Path, *, outlines: bool) -> dict[str, str]:
    """An archive with the lot's folder beside it, as docs/report.md says; the arguments of supervision's reader."""
    with zipfile.ZipFile(io.BytesIO(as_yolo(images, outlines=outlines, kinds=KINDS))) as archive:
        archive.extractall(folder)
    (folder / "images").mkdir()
    for image in images:
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "images" / image.image.path)
    places = {"images_directory_path": "images", "annotations_directory_path": "labels", "data_yaml_path": "data.yaml"}
    return {name: str(folder / place) for name, place in places.items()}


@pytest.mark.parametrize("outlines", [False, True], ids=["yolo", "yolo-segments"])
@pytest.mark.filterwarnings("ignore")
def test_supervision_reads_yolo(images: list[Marked], tmp_path: Path, outlines: bool) -> None:
    supervision = pytest.importorskip("supervision", reason="supervision is not installed: make setup")
    places = unpacked(images, tmp_path, outlines=outlines)
    read = supervision.DetectionDataset.from_yolo(**places, force_masks=outlines)
    assert read.classes == ["defective", *KINDS]
    found = {Path(path).name: detections for path, _, detections in read}
    assert {path: len(detections) for path, detections in found.items()} == {"a.png": 2, "größe.png": 0, "c.png": 1}
    np.testing.assert_allclose(found["a.png"].xyxy, [[2, 4, 12, 9], [20, 10, 30, 25]], atol=1.01 if outlines else 1e-3)
    assert found["a.png"].class_id.tolist() == [2, 2]
    assert found["c.png"].class_id.tolist() == [0]
    if outlines:
        assert found["c.png"].mask.sum() == pytest.approx(97, abs=6), "half of 10 x 15 pixels, and the outline"
