"""Verdicts in other tools' formats, read back as those tools would."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports import labelled_folder
from reports.exports import as_csv, verdicts_text
from reports.labelled_folder import GONE, NOT_DRAWN, write_labelled_folder
from storage.datasets import list_categories, load_mask
from storage.images.listing import list_folder
from storage.images.lots import ListedImage
from storage.results.verdicts import Region, Verdict, add_verdict, read_verdicts
from storage.store import Store
from tests.flat import job_of, record_of

RUN = "runs/monday-0a1b2c3d"
BOX = Region("box", ((2.0, 4.0), (12.0, 4.0), (12.0, 9.0), (2.0, 9.0)))
TRIANGLE = Region("outline", ((20.0, 10.0), (30.0, 10.0), (20.0, 20.0)))


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


def test_csv_holds_every_verdict_and_which_counts(verdicts: pd.DataFrame) -> None:
    found = pd.read_csv(io.StringIO(as_csv(verdicts)), keep_default_na=False)
    assert found["path"].tolist() == ["a.png", "a.png", "b.jpg", "c.png", "d.png", "'=e.png"]
    assert found["counts"].tolist() == [False, True, True, True, True, True]
    assert found["note"].tolist() == ["", "two places, really", "line\nbreak", "", "", "'=1+1"]
    assert json.loads(found["regions"][1])[0] == {"shape": "box", "points": [list(point) for point in BOX.points]}


def test_coco_has_boxes_and_areas_of_what_was_drawn(verdicts: pd.DataFrame, run: PastRun) -> None:
    found = json.loads(verdicts_text("coco", verdicts, run.images))
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
    found = {task["data"]["image"]: task for task in json.loads(verdicts_text("labelstudio", verdicts, run.images))}
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
    assert "a.png" not in verdicts_text(kind, verdicts.head(0), run.images)


def test_labelled_folder_is_a_dataset(verdicts: pd.DataFrame, run: PastRun, tmp_path: Path) -> None:
    target = tmp_path / "labelled"
    done = write_labelled_folder(run, verdicts, target)  # type: ignore[arg-type]
    assert (done.good, done.defective) == (2, 1)
    assert done.left_out == {NOT_DRAWN: ["c.png"]}
    (category,) = list_categories("folder", target)
    assert (category.name, [image.label for image in category.images].count(1)) == ("cap", 1)
    (bad,) = [image for image in category.images if image.label]
    assert np.asarray(load_mask(target, bad)).any()
    drawn = np.asarray(Image.open(next(target.glob("cap/ground_truth/defective/*_mask.png"))))
    assert drawn.shape == (30, 40)
    assert set(np.unique(drawn)) == {0, 255}
    assert drawn[4:9, 2:12].all()
    assert drawn[11, 21] == 255
    assert not drawn[19, 29]
    assert not drawn[:3].any()
    table = pd.read_csv(target / "cap" / "images.csv")
    assert sorted(table["path"]) == ["=e.png", "a.png", "b.jpg"]
    for row in table.itertuples():
        photograph = run.folder / str(row.path)
        assert (target / "cap" / str(row.file)).read_bytes() == photograph.read_bytes()


def test_labelled_folder_names_photographs_that_are_gone(
    verdicts: pd.DataFrame, run: PastRun, folder: Path, tmp_path: Path
) -> None:
    (folder / "b.jpg").unlink()
    done = write_labelled_folder(run, verdicts, tmp_path / "labelled")  # type: ignore[arg-type]
    assert done.left_out[GONE] == ["b.jpg"]
    assert (done.good, done.defective) == (1, 1)


def test_labelled_folder_replaces_nothing(verdicts: pd.DataFrame, run: PastRun, tmp_path: Path) -> None:
    (tmp_path / "labelled").mkdir()
    with pytest.raises(ValueError, match="output must be a new folder"):
        write_labelled_folder(run, verdicts, tmp_path / "labelled")  # type: ignore[arg-type]


def test_labelled_folder_stays_in_its_folder(verdicts: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    done = write_labelled_folder(PastRun(folder, "../../evil"), verdicts, tmp_path / "labelled")  # type: ignore[arg-type]
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
        write_labelled_folder(run, verdicts, tmp_path / "labelled")  # type: ignore[arg-type]
    assert not (tmp_path / "labelled").exists()
