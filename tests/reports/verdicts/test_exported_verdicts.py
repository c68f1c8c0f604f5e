"""Verdicts in other tools' formats, read back as those tools would."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports.exports.csv_coco_labelstudio import csv_bytes
from reports.verdicts import labelled_folder as labelled_folder
from reports.verdicts.exported_verdicts import as_csv, verdicts_content
from reports.verdicts.labelled_folder import LabelledFolder, judged_images, lacking_places, write_labelled_folder
from storage.datasets import list_categories, load_mask
from storage.images.decode import FORMATS
from storage.images.drawn_shapes import DrawnShape
from storage.images.formats.orientation import EXIF_ORIENTATION
from storage.images.listing import SUFFIXES, list_folder
from storage.images.lots import ListedImage
from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import Verdict, add_verdict
from storage.store import Store
from tests.flat import job_of, record_of

RUN = "runs/monday-0a1b2c3d"
BOX = DrawnShape("box", ((2.0, 4.0), (12.0, 4.0), (12.0, 9.0), (2.0, 9.0)))
TRIANGLE = DrawnShape("outline", ((20.0, 10.0), (30.0, 10.0), (20.0, 20.0)))


class PastRun:
    """What exports ask of a run."""

    def __init__(self, folder: Path, category: str = "cap") -> None:
        self.path = RUN
        self.images = [image for image in list_folder(str(folder)) if image.status == "ok"]
        self.store = Store(str(folder))
        self.folder = folder
        self.record = record_of(job_of(folder=str(folder), category=category))

    def record_content(self) -> bytes:
        return self.record.model_dump_json().encode()

    def scored_images(self) -> list[ListedImage]:
        return self.images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "photographs"
    place.mkdir()
    for number, name in enumerate(("a.png", "b.jpg", "c.png", "d.png", "=e.png")):
        Image.new("RGB", (40, 30), (number, 90, 120)).save(place / name)
    return place


@pytest.fixture
def run(folder: Path) -> PastRun:
    return PastRun(folder)


@pytest.fixture
def verdicts(run: PastRun, tmp_path: Path) -> pd.DataFrame:
    store = Store(str(tmp_path / "store"))
    by_path = {image.path: image for image in run.images}
    for path, said, regions, note in (
        ("a.png", "good", (), ""),
        ("a.png", "defective", (BOX, TRIANGLE), "two places, really"),
        ("b.jpg", "good", (), "line\nbreak"),
        ("c.png", "defective", (), ""),
        ("d.png", "unsure", (), ""),
        ("=e.png", "good", (), "=1+1"),
    ):
        image = by_path[path]
        fixed = {"category": "cap", "raw_score": 0.5, "decision": "flagged", "name": "Ada"}
        add_verdict(
            store,
            Verdict(RUN, image.image_id, path, image.sha256, verdict=said, note=note, regions=regions, **fixed),
        )
    return read_verdicts(store, RUN)


def labelled(run: PastRun, verdicts: pd.DataFrame, target: Path) -> LabelledFolder:
    judged = judged_images(run, verdicts)  # type: ignore[arg-type]
    return write_labelled_folder(run, judged, target)  # type: ignore[arg-type]


def judge(run: PastRun, tmp_path: Path, regions: tuple[DrawnShape, ...] = ()) -> pd.DataFrame:
    """Verdicts: every image of the run is defective."""
    store = Store(str(tmp_path / "judged"))
    for image in run.images:
        fixed = {"category": "cap", "raw_score": 0.5, "decision": "flagged", "name": "Ada", "note": ""}
        add_verdict(
            store,
            Verdict(RUN, image.image_id, image.path, image.sha256, verdict="defective", regions=regions, **fixed),
        )
    return read_verdicts(store, RUN)


def test_csv_begins_with_a_byte_order_mark_and_runs_nothing() -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", "J\u00f6rg", "a;=1", 'a",=1', "'=1"]
    content = csv_bytes(pd.DataFrame({"any": texts, "number": -1.5}))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row[0].removeprefix("'") for row in rows[1:]] == [text.removeprefix("'") for text in texts]
    assert [row[0].startswith("'") for row in rows[1:]] == [True] * 9 + [False] * 3 + [True]
    assert {row[1] for row in rows[1:]} == {"-1.5"}
    assert b'"a;=1"' in content


@pytest.mark.parametrize(
    ("kind", "suffix"), [("MPO", ".jpg"), *((kind, None) for kind in FORMATS)], ids=["MPO", *FORMATS]
)
def test_labelled_photographs_have_suffixes_that_are_read(
    kind: str, suffix: str | None, folder: Path, tmp_path: Path
) -> None:
    for path in folder.iterdir():
        path.unlink()
    image = Image.new("RGB", (40, 30), (9, 90, 120))
    image.save(folder / "camera.png", kind, **({"save_all": True, "append_images": [image]} if kind == "MPO" else {}))
    run = PastRun(folder)
    labelled(run, judge(run, tmp_path), tmp_path / "labelled")
    (written,) = (tmp_path / "labelled").glob("*/test/defective/*")
    assert written.suffix in SUFFIXES
    assert suffix in (None, written.suffix)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_labelled_masks_of_turned_photographs_lie_where_they_were_drawn(
    orientation: int, folder: Path, tmp_path: Path
) -> None:
    for path in folder.iterdir():
        path.unlink()
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    Image.new("RGB", (40, 30)).save(folder / "turned.png", exif=exif)
    run = PastRun(folder)
    labelled(run, judge(run, tmp_path, (BOX,)), tmp_path / "labelled")
    Image.new("RGB", (40, 30)).save(tmp_path / "good.png")
    (tmp_path / "labelled/cap/test/good").mkdir()
    (tmp_path / "good.png").rename(tmp_path / "labelled/cap/test/good/good.png")
    (category,) = list_categories("folder", tmp_path / "labelled")
    (bad,) = [image for image in category.images if image.label]
    mask = load_mask(tmp_path / "labelled", bad)
    assert mask.shape == ((40, 30) if orientation > 4 else (30, 40))
    assert mask[4:9, 2:12].all()
    assert mask.sum() < 80


def test_defective_images_without_places_are_named(verdicts: pd.DataFrame, run: PastRun, tmp_path: Path) -> None:
    assert lacking_places(judged_images(run, verdicts)) == ["c.png"]  # type: ignore[arg-type]
    speck = DrawnShape("outline", ((100.0, 100.0), (101.0, 100.0), (100.0, 101.0)))
    outside = judge(run, tmp_path, (speck,))
    assert len(lacking_places(judged_images(run, outside))) == len(run.images)  # type: ignore[arg-type]


def test_labelstudio_loads_photographs_from_a_prefix(verdicts: pd.DataFrame, run: PastRun) -> None:
    prefix = "/data/local-files/?d=lots/"
    found = json.loads(verdicts_content("labelstudio", verdicts, run.images, prefix))
    assert {task["data"]["image"] for task in found} >= {f"{prefix}a.png", f"{prefix}%3De.png"}


def test_csv_holds_every_verdict_and_which_counts(verdicts: pd.DataFrame) -> None:
    found = pd.read_csv(io.BytesIO(as_csv(verdicts)), keep_default_na=False)
    assert found["path"].tolist() == ["a.png", "a.png", "b.jpg", "c.png", "d.png", "'=e.png"]
    assert found["counts"].tolist() == [False, True, True, True, True, True]
    assert found["note"].tolist() == ["", "two places, really", "line\nbreak", "", "", "'=1+1"]
    assert json.loads(found["regions"][1])[0] == {"shape": "box", "points": [list(point) for point in BOX.points]}


def test_coco_has_boxes_and_areas_of_what_was_drawn(verdicts: pd.DataFrame, run: PastRun) -> None:
    found = json.loads(verdicts_content("coco", verdicts, run.images))
    assert [(image["file_name"], image["verdict"]) for image in found["images"]] == [
        ("=e.png", "good"),
        ("a.png", "defective"),
        ("b.jpg", "good"),
        ("c.png", "defective"),
    ]
    assert {(image["width"], image["height"]) for image in found["images"]} == {(40, 30)}
    assert [(one["bbox"], one["area"]) for one in found["annotations"]] == [
        ([2.0, 4.0, 10.0, 5.0], 50.0),
        ([20.0, 10.0, 10.0, 10.0], 50.0),
    ]
    names = {image["id"]: image["file_name"] for image in found["images"]}
    assert {names[one["image_id"]] for one in found["annotations"]} == {"a.png"}
    assert {one["category_id"] for one in found["annotations"]} == {one["id"] for one in found["categories"]}
    assert len({one["id"] for one in found["annotations"]}) == 2


def test_labelstudio_has_choices_and_places_in_percent(verdicts: pd.DataFrame, run: PastRun) -> None:
    found = {task["data"]["image"]: task for task in json.loads(verdicts_content("labelstudio", verdicts, run.images))}
    assert found.keys() == {"a.png", "b.jpg", "c.png", "d.png", "=e.png"}
    choice, box, outline = found["a.png"]["annotations"][0]["result"]
    assert choice["value"] == {"choices": ["defective"]}
    place = {"x": 5, "y": 100 * 4 / 30, "width": 25, "height": 100 * 5 / 30, "rotation": 0}
    assert box["value"].pop("rectanglelabels") == ["defective"]
    assert box["value"] == pytest.approx(place)
    assert outline["value"]["points"][0] == [50.0, pytest.approx(100 / 3)]
    assert {part["to_name"] for part in (choice, box, outline)} == {"image"}


@pytest.mark.parametrize("kind", ["csv", "coco", "labelstudio"])
def test_exports_of_no_verdict_are_empty(verdicts: pd.DataFrame, run: PastRun, kind: str) -> None:
    assert b"a.png" not in verdicts_content(kind, verdicts.head(0), run.images)


def test_labelled_folder_is_a_dataset(verdicts: pd.DataFrame, run: PastRun, tmp_path: Path) -> None:
    target = tmp_path / "labelled"
    done = labelled(run, verdicts, target)
    assert (done.good, done.defective, done.left_out) == (2, 2, [])
    (category,) = list_categories("folder", target)
    assert (category.name, [image.label for image in category.images].count(1)) == ("cap", 2)
    (bad,) = [image for image in category.images if image.label and image.pixels_known]
    assert np.asarray(load_mask(target, bad)).any()
    drawn = np.asarray(Image.open(next(target.glob("cap/ground_truth/defective/*_mask.png"))))
    assert drawn.shape == (30, 40)
    assert set(np.unique(drawn)) == {0, 255}
    assert drawn[4:9, 2:12].all()
    assert drawn[11, 21] == 255
    assert not drawn[19, 29]
    assert not drawn[:3].any()
    table = pd.read_csv(target / "cap" / "images.csv")
    assert sorted(table["path"]) == ["'=e.png", "a.png", "b.jpg", "c.png"]
    assert table["mask"].notna().sum() == 1
    for row in table.itertuples():
        photograph = run.folder / str(row.path).removeprefix("'")
        assert (target / "cap" / str(row.file)).read_bytes() == photograph.read_bytes()


def test_labelled_folder_names_photographs_that_are_gone(
    verdicts: pd.DataFrame, run: PastRun, folder: Path, tmp_path: Path
) -> None:
    (folder / "b.jpg").unlink()
    done = labelled(run, verdicts, tmp_path / "labelled")
    assert done.left_out == ["b.jpg"]
    assert (done.good, done.defective) == (1, 2)


def test_labelled_folder_replaces_nothing(verdicts: pd.DataFrame, run: PastRun, tmp_path: Path) -> None:
    (tmp_path / "labelled").mkdir()
    with pytest.raises(ValueError, match="output must be a new folder"):
        labelled(run, verdicts, tmp_path / "labelled")


def test_labelled_folder_stays_in_its_folder(verdicts: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    done = labelled(PastRun(folder, "../../evil"), verdicts, tmp_path / "labelled")
    assert done.good == 2
    assert not (tmp_path.parent / "evil").exists()
    assert not list(tmp_path.glob("evil*"))


def test_interrupted_export_leaves_no_labelled_folder(
    verdicts: pd.DataFrame, run: PastRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(labelled_folder, "write", full)
    with pytest.raises(OSError, match="No space"):
        labelled(run, verdicts, tmp_path / "labelled")
    assert not (tmp_path / "labelled").exists()
