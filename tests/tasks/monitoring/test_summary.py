"""The summary a person reads first."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from planning.lot_job import LotJob
from reports.page.contact_sheet import SheetPart
from storage.artefacts import writing
from storage.images.listing import list_folder
from storage.results.patch_scores import write_scores
from storage.results.runs import IMAGES, PATCH_SCORES, SCORES, Run, write_record
from storage.store import Store
from storage.tables import write_table
from tasks.monitoring import summary as summaries
from tasks.monitoring.summary import as_text, markdown_table, summary, top_rows
from tests.flat import prepare, record_of

ODD_NAME = "a|b <script>alert(1)</script> *c* [d](e) _f_.png"


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, name in enumerate(("one.png", "two.png", ODD_NAME.replace("/", "∕"))):
        pixels = np.random.default_rng(number).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    (folder / "notes.txt").write_text("shift 2")
    return folder


MadeRun = Callable[..., tuple[Run, LotJob]]


@pytest.fixture
def made_run(photographs: Path, tmp_path: Path) -> MadeRun:
    """A finished run as `tasks.write_run` writes it, with a report if asked for."""

    def make(*, report: bool = False) -> tuple[Run, LotJob]:
        images = list_folder(str(photographs))
        scored = [image for image in images if image.status == "ok"]
        store, job = Store(str(tmp_path / "out")), prepare(str(photographs), backbone="texture", image_size=64)
        counts = Counter(image.status for image in images)
        table = pd.DataFrame(
            {
                "path": [image.path for image in scored],
                "raw_score": [0.3, 0.2, 0.1],
                "score": [0.9, 0.5, 0.1],
                "rank": [1, 2, 3],
                "peak_x": [3, 4, 5],
                "peak_y": [6, 7, 8],
                "decision": ["flagged", "accepted", "accepted"],
            }
        )
        with writing(store, "runs/parts-1") as staging:
            write_scores(store, f"{staging.path}/{PATCH_SCORES}", np.random.default_rng(9).random((3, 4, 5)), {})
            write_table(store, f"{staging.path}/{IMAGES}", pd.DataFrame([asdict(image) for image in images]))
            write_table(store, f"{staging.path}/{SCORES}", table)
            write_record(store, staging.path, record_of(job, images=counts).model_dump(mode="json"))
        if report:
            with writing(store, "runs/parts-1/report") as staging:
                store.write(f"{staging.path}/report.html", b"<html></html>")
        return Run(store, "runs/parts-1"), job

    return make


def test_summary_says_what_was_scored(made_run: MadeRun) -> None:
    run, job = made_run()
    text = summary(run, job, "cpu")
    assert text.startswith("# parts\n")
    for line in ("- **images scored**: 3", "- **files left out**: 1 not", "- **backbone**: texture"):
        assert line in text
    assert "report" not in text
    assert text.count("data:image/jpeg;base64,") == 1


def test_summary_shows_decisions_and_the_report_where_there_is_one(made_run: MadeRun) -> None:
    run, job = made_run(report=True)
    text = summary(run, job, "cpu")
    assert "- **decisions**: 2 accepted, 1 flagged" in text
    assert "runs/parts-1/report/report.html" in text.replace("&#45;", "-")
    assert top_rows(run.scores())[0]["decision"] == "flagged"


def test_summary_shows_odd_names_as_they_are(made_run: MadeRun) -> None:
    run, job = made_run()
    text = summary(run, job, "cpu")
    assert "<script>" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "script" in line]
    assert len(rows) == 1
    assert rows[0].count(" | ") == 5
    assert r"\<script\>" in rows[0]
    assert r"\_f\_.png" in rows[0]


def test_summary_goes_on_without_photographs(made_run: MadeRun, photographs: Path) -> None:
    run, job = made_run()
    (photographs / "one.png").unlink()
    assert "data:image/jpeg" in summary(run, job, "cpu")
    for path in photographs.glob("*.png"):
        path.write_bytes(b"another content")
    text = summary(run, job, "cpu")
    assert "data:image" not in text
    assert "The photographs are gone" in text


def test_summary_shows_each_photograph_beside_its_own_map(made_run: MadeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run, job = made_run()
    shown: list[SheetPart] = []
    monkeypatch.setattr(summaries, "sheet", lambda parts, limits: shown.extend(parts) or Image.new("RGB", (9, 9)))
    listed = [image.path for image in run.scored_images()]
    ranked = run.scores().iloc[[2, 0, 1]]
    (Path(job.folder) / listed[0]).unlink()
    monkeypatch.setattr(Run, "scores", lambda _: ranked)
    summaries.strip(run, job.folder)
    assert [np.asarray(part.photograph)[0, 0].tolist() for part in shown] == [
        np.asarray(Image.open(Path(job.folder) / listed[position]))[0, 0].tolist() for position in (2, 1)
    ]
    np.testing.assert_array_equal([part.patch_scores for part in shown], run.patch_scores()[[2, 1]])


def test_top_rows_are_texts(made_run: MadeRun) -> None:
    run, _ = made_run()
    rows = top_rows(run.scores(), 2)
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert all(type(value) is str for row in rows for value in row.values())


@pytest.mark.parametrize("text", ["plain-1.png", "stain_000.png", "Teil Nr. 7", "部品/001.png"])
def test_plain_names_stay_readable(text: str) -> None:
    assert as_text(text) == text


def test_markdown_table_of_nothing_is_nothing() -> None:
    assert markdown_table([]) == ""
