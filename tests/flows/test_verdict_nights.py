"""What people say of night 1 changes the references and the suggested threshold of night 2, and the records say so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from flows.pipelines.lot import score_folder
from flows.pipelines.night import score_night
from flows.pipelines.reproduction import reproduce
from planning.lot_job import JudgedGood
from planning.nights.outcomes import Status
from planning.requests import NightRequest, request_of
from reports.run_record import read_record
from reports.verdicts.known_good import with_judged_good
from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import Run
from storage.results.verdicts import Verdict, add_verdict
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request, prepare
from web.app import create_app

SETTINGS: dict[str, Any] = {"backbone": "texture", "image_size": 128, "layers": (0,), "degrees": (1,)}


@pytest.fixture
def lots(tmp_path: Path) -> Path:
    """Two nights of caps: 16 good and 12 bad images each."""
    for night in (21, 22):
        pictures = write_lot(tmp_path / f"drawn-{night}", good_count=16, defective_count=12, size=128, seed=night)
        folder = tmp_path / "lots" / "cap" / f"2026-11-{night}"
        folder.mkdir(parents=True)
        for number, picture in enumerate(pictures):
            kind = "good" if number < 16 else "bad"
            (folder / f"{kind}-{number:02d}.png").write_bytes(picture.read_bytes())
    return tmp_path / "lots"


def score(lots: Path, night: int, **more: Any) -> Run:
    given = {
        "folder": str(lots / "cap" / f"2026-11-{night}"),
        "output": str(lots.parent / "store"),
        "lot": f"cap-2026-11-{night}",
        "category": "cap",
    }
    done = score_folder(lot_request(**{**given, **SETTINGS, **more}), InlineRunner())
    return Run(Store(given["output"]), done.run)


def judge_all(run: Run, said: dict[str, str] | None = None) -> None:
    """Say of every image what its name says, or what is given by path."""
    images = {image.image_id: image for image in run.scored_images()}
    for row in run.scores().itertuples():
        verdict = (said or {}).get(str(row.path), "good" if str(row.path).startswith("good") else "defective")
        image = images[str(row.image_id)]
        decided = {"raw_score": float(row.raw_score), "decision": str(row.decision), "verdict": verdict, "name": "Ada"}
        add_verdict(run.store, Verdict(run.path, image.image_id, image.path, image.sha256, "cap", **decided))


def suggested(run: Run) -> str:
    client = TestClient(create_app(run.store), base_url="http://localhost")
    return client.get(f"/lots/{run.path.removeprefix('runs/')}").text


def test_verdicts_of_night_1_change_references_and_threshold_of_night_2(lots: Path) -> None:
    first = score(lots, 21)
    plain = score(lots, 22)
    assert "No verdict" not in suggested(plain)
    assert "Suggested by verdicts" not in suggested(plain)
    judge_all(first, {"good-03.png": "defective", "good-04.png": "unsure"})
    assert "Suggested by verdicts" in suggested(plain)
    assert "Fitted to 14 good and 13 defective images" in suggested(plain)

    again = score(lots, 22, good_from_verdicts=True)
    record = read_record(again)
    ids = {image.image_id: image.path for image in first.scored_images()}
    (good,) = record.job.judged_good
    assert good.run == first.path
    assert sorted(ids[one] for one in good.image_ids) == [
        f"good-{number:02d}.png" for number in range(16) if number not in (3, 4)
    ]
    assert sum(len(rows.rows) for rows in record.earlier_references) == 14
    assert again.path != plain.path
    assert read_record(plain).job.judged_good == ()
    before, after = (run.scores().sort_values("path")["raw_score"].to_numpy() for run in (plain, again))
    assert not np.allclose(before, after)
    assert "Suggested by verdicts" in suggested(again)
    assert "14 images judged good in earlier runs" in suggested(again)


def test_night_without_the_option_takes_no_notice_of_verdicts(lots: Path) -> None:
    first = score(lots, 21)
    plain = score(lots, 22)
    judge_all(first)
    assert score(lots, 22).path == plain.path


def test_no_verdict_changes_nothing(lots: Path) -> None:
    plain = score(lots, 22)
    asked = score(lots, 22, good_from_verdicts=True)
    assert asked.path == plain.path, "without references the scores are the same work"


def test_repetition_takes_the_verdicts_of_then(lots: Path) -> None:
    first = score(lots, 21)
    judge_all(first)
    second = score(lots, 22, good_from_verdicts=True)
    judge_all(first, {f"good-{number:02d}.png": "defective" for number in range(16)})
    found = reproduce(second.store.location(second.path), None, None, InlineRunner())
    assert found.identical


def test_new_verdicts_are_no_reason_to_score_old_nights_again(lots: Path) -> None:
    output = str(lots.parent / "store")
    given = {"root": str(lots), "output": output, "good_from_verdicts": True, **SETTINGS}
    runner = InlineRunner()

    def night(**files: Any) -> list[tuple[Status, tuple[str, ...]]]:
        request = request_of(NightRequest, {**given, **files})
        done = score_night(request, runner, lambda one: score_folder(one, runner))
        return [(outcome.status, outcome.created) for outcome in done.outcomes]

    assert night() == [(Status.SCORED, ())] * 2
    judge_all(next(Run(Store(output), f"runs/{path.name}") for path in Path(output, "runs").iterdir()))
    assert night() == [(Status.FINISHED, ())] * 2

    assert night(maps=("png",), export=("csv",)) == [(Status.FINISHED, ("maps", "exports"))] * 2
    assert len([*Path(output).glob("runs/*/maps-png/*.png")]) > 0
    assert night(maps=("png",)) == [(Status.FINISHED, ())] * 2, "files of an earlier night are there"
    assert len([*Path(output).glob("runs/*")]) == 2


def test_only_the_latest_verdict_about_a_content_vouches(lots: Path) -> None:
    from reports.verdicts.known_good import good_image_ids
    from storage.results.verdict_reader import VerdictReader

    first = score(lots, 21)
    other = score(lots, 21, threshold=0.01)
    judge_all(first)
    judge_all(other, {"good-00.png": "defective"})
    found = good_image_ids(VerdictReader(first.store).everything(), "cap")
    assert {run: len(ids) for run, ids in found.items()} == {other.path: 15}
    assert good_image_ids(VerdictReader(first.store).everything(), "lid") == {}


def judged(**options: Any) -> tuple[JudgedGood, ...]:
    return with_judged_good(prepare(**options)).judged_good


def test_other_backbones_and_lost_features_are_left_out(lots: Path) -> None:
    first = score(lots, 21)
    judge_all(first)
    given = {
        "folder": str(lots / "cap" / "2026-11-22"),
        "output": first.store.url,
        "category": "cap",
        "good_from_verdicts": True,
    }
    ((run, ids),) = [(one.run, one.image_ids) for one in judged(**given, **SETTINGS)]
    assert (run, len(ids)) == (first.path, 16)
    assert judged(**given, **{**SETTINGS, "image_size": 64}) == ()
    assert judged(**{**given, "category": "lid"}, **SETTINGS) == ()
    for block in read_record(first).keys.features:
        first.store.delete(block)
    assert judged(**given, **SETTINGS) == ()
    assert JudgedGood(run, ids).run == first.path
