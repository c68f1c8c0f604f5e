"""A run's results as files for other programs, read back as those would, and its README.txt."""

import json
import re
from typing import Any, get_args

import pandas as pd
import pytest

from flows.pipelines.lot import score_folder
from planning.requests import LotRequest
from reports.exports.csv_coco_labelstudio import area
from reports.page.finished_run import FinishedRun
from reports.sentences import headline, thresholds
from storage.datasets.synthetic.lot import write_lot
from storage.results.run_files import ExportKind
from storage.results.runs import README, Run
from storage.store import Store
from tasks.export_results import FORMATS
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request

SMALL = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1,), "engine": "inline"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """A run of six parts, half of them flagged, with every export."""
    folder, store = tmp_path_factory.mktemp("lot"), tmp_path_factory.mktemp("store")
    drawn = write_lot(tmp_path_factory.mktemp("drawn"), good_count=4, defective_count=2, size=64)
    for number, picture in enumerate(drawn):
        (folder / f"={number}.png").write_bytes(picture.read_bytes())
    first = score_folder(lot_request(folder, store, **SMALL), InlineRunner())
    threshold = float(Run(Store(str(store)), first.run).scores()["raw_score"].median())
    asked = lot_request(
        folder, store, threshold=threshold, export="csv, coco,labelstudio,cvat,yolo,yolo-segments", **SMALL
    )
    done = score_folder(asked, InlineRunner())
    assert done.problems == ()
    return FinishedRun(Run(Store(str(store)), done.run), str(folder))


def exported(found: FinishedRun, file: str) -> Any:
    return json.loads(found.run.store.read(f"{found.run.path}/{file}"))


def test_csv_is_the_table_of_scores_that_no_spreadsheet_runs(found: FinishedRun) -> None:
    table = pd.read_csv(found.run.store.full(f"{found.run.path}/export-csv/scores.csv"))
    stored = found.run.scores()
    assert table.columns.tolist() == [*stored.columns, "cause"]
    assert table["path"].tolist() == [f"'{path}" for path in stored["path"]]
    assert table["raw_score"].astype("float32").tolist() == stored["raw_score"].tolist()


def test_cause_of_each_listed_image_is_said_in_csv_coco_and_labelstudio(found: FinishedRun) -> None:
    listed = {found.images[position].path: found.listed[position] for position in range(len(found.images))}
    table = pd.read_csv(found.run.store.full(f"{found.run.path}/export-csv/scores.csv"), keep_default_na=False)
    of_csv = {path.removeprefix("'"): cause for path, cause in zip(table["path"], table["cause"], strict=True)}
    coco = {one["file_name"]: one.get("cause", "") for one in exported(found, "export-coco/coco.json")["images"]}
    tasks = [task["data"] for task in exported(found, "export-labelstudio/labelstudio.json")]
    assert of_csv == coco == {task["image"]: task.get("cause", "") for task in tasks}
    for path, cause in coco.items():
        assert cause.startswith("The outlined place is ") == bool(listed[path])


def test_coco_has_every_image_and_the_boxes_of_listed_ones(found: FinishedRun) -> None:
    made = exported(found, "export-coco/coco.json")
    assert [image["file_name"] for image in made["images"]] == [image.path for image in found.images]
    assert [image["decision"] for image in made["images"]] == found.scores["decision"].tolist()
    names = {image["id"]: image["file_name"] for image in made["images"]}
    boxes = found.run.boxes()
    assert len(made["annotations"]) == len(boxes) >= found.listed.sum() >= 2
    rounded = boxes[["path", "x", "y", "width", "height", "peak_score"]].to_numpy().tolist()
    for one in made["annotations"]:
        left, top, width, height = one["bbox"]
        right, bottom = -int(-(left + width) // 1), -int(-(top + height) // 1)
        whole = [int(left), int(top), right - int(left), bottom - int(top)]
        assert [names[one["image_id"]], *whole, one["score"]] in rounded
        (flat,) = one["segmentation"]
        assert area(list(zip(flat[::2], flat[1::2], strict=True))) == one["area"] <= width * height


def test_labelstudio_predicts_each_place_as_box_and_outline(found: FinishedRun) -> None:
    tasks = {task["data"]["image"]: task for task in exported(found, "export-labelstudio/labelstudio.json")}
    for position, image in enumerate(found.images):
        (prediction,) = tasks[image.path]["predictions"]
        choice, *places = prediction["result"]
        assert choice["value"]["choices"] == ["defective" if found.listed[position] else "good"]
        assert [place["from_name"] for place in places] == ["box", "outline"] * len(found.outlines(position))
        assert prediction["score"] == found.scores["raw_score"][position]
        values = [value for place in places[1::2] for point in place["value"]["points"] for value in point]
        assert all(0 <= value <= 100 for value in values)


def test_readme_says_what_lies_there_and_every_setting(found: FinishedRun) -> None:
    text = found.run.store.read(f"{found.run.path}/{README}").decode()
    job = found.record.job
    said_otherwise = {"image_size", "references_from"}
    options = {*type(job.settings).model_fields, *type(job.decisions).model_fields} - said_otherwise
    for name in (*options, "pixels", "further references", "scores.parquet"):
        assert f"\n  {name} " in text, name
    assert f"\n{headline(found.record.decision, 6)}.\n" in text
    assert f"\n{thresholds(found.record.decision)}\n" in text
    for name, value in (("degrees", "1"), ("folder", str(found.folder)), ("files ok", "6")):
        assert re.search(rf"^  {name} +{re.escape(value)}$", text, re.MULTILINE), name


def test_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(
        ValueError, match="export must be 'csv', 'coco', 'labelstudio', 'cvat', 'yolo' or 'yolo-segments', got 'xml'"
    ):
        LotRequest(folder="x", export="csv,xml")


def test_every_format_that_can_be_asked_for_is_made() -> None:
    assert set(FORMATS) == set(get_args(ExportKind))
