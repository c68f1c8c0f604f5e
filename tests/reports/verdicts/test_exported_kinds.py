"""Kinds of defects in other tools' formats: each has one number for ever, behind the class of all defects."""

import io
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import yaml
from PIL import Image

from reports.verdicts.exported_verdicts import as_csv, numbered_kinds, verdicts_content
from reports.verdicts.labelled_folder import judged_images, write_labelled_folder
from storage.datasets import list_categories
from storage.products.defect_kinds import DefectKind, DefectKinds, add_kinds
from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import Verdict, add_verdict
from storage.store import Store
from tests.reports.verdicts.test_exported_verdicts import BOX, RUN, PastRun

STRANGE = "=no: 'yes' \"<b>&\" 污渍 🦊/.."


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A product whose list was changed: `dent` was the second kind, is gone from it, and keeps its number."""
    store = Store(str(tmp_path / "store"))
    for names in (("scratch", "dent"), (STRANGE, "scratch")):
        add_kinds(store, DefectKinds("cap", tuple(DefectKind(name) for name in names), "Ada"))
    return store


@pytest.fixture
def run(tmp_path: Path) -> PastRun:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, name in enumerate("abcde"):
        Image.new("RGB", (40, 30), (number, 90, 120)).save(folder / f"{name}.png")
    return PastRun(folder)


@pytest.fixture
def verdicts(store: Store, run: PastRun) -> pd.DataFrame:
    given = (("good", ""), ("defective", ""), ("defective", "scratch"), ("defective", "dent"), ("defective", STRANGE))
    for image, (said, kind) in zip(run.images, given, strict=True):
        fixed = {"category": "cap", "raw_score": 0.5, "decision": "flagged", "name": "Ada"}
        more = {"severity": "minor" if kind else "", "regions": (BOX,) if said == "defective" else ()}
        known = (RUN, image.image_id, image.path, image.sha256)
        add_verdict(store, Verdict(*known, verdict=said, kind=kind, **fixed, **more))
    return read_verdicts(store, RUN)


def content(store: Store, run: PastRun, verdicts: pd.DataFrame, form: str) -> bytes:
    return verdicts_content(form, verdicts, run.images, kinds=numbered_kinds(store, verdicts))


def test_kinds_are_numbered_as_they_were_first_listed(store: Store, verdicts: pd.DataFrame) -> None:
    assert numbered_kinds(store, verdicts) == ("scratch", "dent", STRANGE)
    assert numbered_kinds(store, verdicts.head(0)) == ()
    edited = verdicts.assign(kind=["", "unheard of", "scratch", "", ""])
    assert numbered_kinds(store, edited) == ("scratch", "dent", STRANGE, "unheard of")


def test_coco_has_kinds_as_categories_behind_defective(store: Store, run: PastRun, verdicts: pd.DataFrame) -> None:
    found = json.loads(content(store, run, verdicts, "coco"))
    assert [(one["id"], one["name"]) for one in found["categories"]] == [
        (1, "defective"),
        (2, "scratch"),
        (3, "dent"),
        (4, STRANGE),
    ]
    assert {one["supercategory"] for one in found["categories"][1:]} == {"defective"}
    assert [one["category_id"] for one in found["annotations"]] == [1, 2, 3, 4]
    assert [image["severity"] for image in found["images"]] == ["", "", "minor", "minor", "minor"]


def test_labelstudio_has_kind_and_severity_as_choices(store: Store, run: PastRun, verdicts: pd.DataFrame) -> None:
    tasks = json.loads(content(store, run, verdicts, "labelstudio"))
    choices = [
        {
            part["from_name"]: part["value"]["choices"]
            for part in task["annotations"][0]["result"]
            if part["type"] == "choices"
        }
        for task in tasks
    ]
    assert choices[:2] == [{"verdict": ["good"]}, {"verdict": ["defective"]}]
    assert choices[4] == {"verdict": ["defective"], "kind": [STRANGE], "severity": ["minor"]}
    assert tasks[2]["annotations"][0]["result"][-1]["value"]["rectanglelabels"] == ["scratch"]


def test_cvat_has_kinds_as_labels(store: Store, run: PastRun, verdicts: pd.DataFrame) -> None:
    read = ElementTree.fromstring(content(store, run, verdicts, "cvat"))
    assert [label.findtext("name") for label in read.iter("label")] == ["defective", "good", "scratch", "dent", STRANGE]
    assert [[tag.get("label") for tag in image.iter("tag")] for image in read.iter("image")] == [
        ["good"],
        ["defective"],
        ["defective", "scratch"],
        ["defective", "dent"],
        ["defective", STRANGE],
    ]
    assert [box.get("label") for box in read.iter("box")] == ["defective", "scratch", "dent", STRANGE]


@pytest.mark.parametrize("form", ["yolo", "yolo-segments"])
def test_yolo_has_kinds_as_classes_behind_defective(
    store: Store, run: PastRun, verdicts: pd.DataFrame, form: str
) -> None:
    with zipfile.ZipFile(io.BytesIO(content(store, run, verdicts, form))) as archive:
        names = yaml.safe_load(archive.read("data.yaml"))["names"]
        lines = [archive.read(f"labels/{name}.txt").decode() for name in "abcde"]
    assert names == {0: "defective", 1: "scratch", 2: "dent", 3: STRANGE}
    assert [line[:2] for line in lines] == ["", "0 ", "1 ", "2 ", "3 "]


def test_csv_has_kind_and_severity_and_runs_nothing(verdicts: pd.DataFrame) -> None:
    found = pd.read_csv(io.BytesIO(as_csv(verdicts)), keep_default_na=False)
    assert found["kind"].tolist() == ["", "", "scratch", "dent", f"'{STRANGE}"]
    assert found["severity"].tolist() == ["", "", "minor", "minor", "minor"]


def test_labelled_folder_has_a_folder_of_each_kind(run: PastRun, verdicts: pd.DataFrame, tmp_path: Path) -> None:
    target = tmp_path / "labelled"
    write_labelled_folder(run, judged_images(run, verdicts), target)  # type: ignore[arg-type]
    (category,) = list_categories("folder", target)
    types = {image.defect_type for image in category.images}
    assert types == {"good", "defective", "scratch", "dent", "=no_ 'yes' __b_&_ 污渍 🦊_"}
    assert [image.label for image in category.images].count(1) == 4
    assert all(image.pixels_known for image in category.images)
    table = pd.read_csv(target / "cap" / "images.csv", keep_default_na=False)
    assert table["kind"].tolist() == ["", "", "scratch", "dent", f"'{STRANGE}"]
