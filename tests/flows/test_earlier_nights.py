"""Earlier nights of a product decide with: their scores, without odd nights and parts judged defective."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.pipelines.lot import score_folder
from flows.pipelines.reproduction import reproduce
from musc.decisions.choose_threshold import lot_thresholds
from musc.decisions.decision_words import Basis
from reports.earlier_scores import night_scores, nights_without_drift
from reports.run_record import DecisionRecord, read_record
from storage.datasets.synthetic.lot import write_lot
from storage.results.profiles import Profile
from storage.results.runs import Run
from storage.results.verdicts import Verdict, add_verdict
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request

SETTINGS: dict[str, Any] = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1,)}
NIGHTS, IMAGES = 4, 40


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `cap/2026-11-01` … of 40 parts each, of which 2 are defective."""
    root = tmp_path_factory.mktemp("lots")
    good = write_lot(root / "good", good_count=NIGHTS * (IMAGES - 2), defective_count=1, size=64)[:-1]
    bad = write_lot(root / "bad", good_count=1, defective_count=2 * NIGHTS, size=64)[1:]
    for night in range(NIGHTS):
        folder = root / "cap" / f"2026-11-{night + 1:02d}"
        folder.mkdir(parents=True)
        for number, picture in enumerate([*good[night::NIGHTS], *bad[night::NIGHTS]]):
            shutil.copy(picture, folder / f"{number:02d}.png")
    return root


def score(lots: Path, night: int, store: str, **more: Any) -> Run:
    request = lot_request(lots / "cap" / f"2026-11-{night:02d}", lots / store, **{**SETTINGS, **more})
    return Run(Store(str(lots / store)), score_folder(request, InlineRunner()).run)


@pytest.fixture(scope="module")
def nights(lots: Path) -> list[Run]:
    """The four nights scored one after the other; before the last an image of the first was judged defective."""
    runs = [score(lots, night, "store") for night in range(1, NIGHTS)]
    row = runs[0].scores().iloc[0]
    told = {name: row[name] for name in ("image_id", "path", "sha256", "category", "decision")}
    told["raw_score"] = float(row["raw_score"])
    add_verdict(runs[0].store, Verdict(run=runs[0].path, verdict="defective", name="Ada", **told))
    return [*runs, score(lots, NIGHTS, "store")]


def decision_of(run: Run) -> DecisionRecord:
    return read_record(run).decision


def test_earlier_nights_decide_from_enough_scores_on(nights: list[Run]) -> None:
    bases = [decision_of(run).basis for run in nights]
    assert bases == [Basis.LOT, Basis.LOT, Basis.LOT, Basis.NIGHTS]
    last = decision_of(nights[-1])
    assert last.nights == tuple(run.path for run in nights[:-1])
    assert last.reference_count >= 100


def test_earlier_nights_count_without_the_parts_judged_defective(nights: list[Run]) -> None:
    scores = [night.raw_scores for night in night_scores(nights[0].store, decision_of(nights[-1]).nights)]
    assert [len(of_night) for of_night in scores] == [IMAGES - 1, IMAGES, IMAGES]
    assert nights[0].scores()["raw_score"].iloc[0] not in scores[0]
    raw = nights[-1].scores()["raw_score"].to_numpy(float)
    found = lot_thresholds(raw, earlier_nights=scores)
    assert decision_of(nights[-1]).suspect_threshold == pytest.approx(found.suspect_threshold)
    np.testing.assert_allclose(nights[-1].scores()["p_value"], found.p_values)


def test_later_nights_decide_nothing_about_earlier_ones(lots: Path, nights: list[Run]) -> None:
    again = score(lots, 2, "store", suspects=0.05)
    assert decision_of(again).nights == (nights[0].path,)


def test_finished_night_keeps_its_decision(lots: Path, nights: list[Run]) -> None:
    before = nights[0].record_content()
    assert score(lots, 1, "store").path == nights[0].path
    assert nights[0].record_content() == before


def test_nights_scored_otherwise_decide_nothing(lots: Path, nights: list[Run]) -> None:
    assert decision_of(score(lots, NIGHTS, "store", interval=(0.0, 0.5))).nights == ()


def test_reproduction_says_that_decisions_of_earlier_nights_are_not_compared(nights: list[Run]) -> None:
    found = [reproduce(run.store.location(run.path), None, None, InlineRunner()) for run in (nights[0], nights[-1])]
    assert [one.identical for one in found] == [True, True]
    assert [one.other_decisions for one in found] == [0, None]


def test_unusual_nights_are_left_out() -> None:
    usual = {"lot": "cap", "recorded": "", "listing": "", "image_count": 40, "flagged_count": 0, "flagged_rate": 0.0}
    same = {"score_p90": 0.5, "score_p99": 0.6, "brightness": 0.5, "sharpness": 0.5, "mean_class_token": (0.6, 0.8)}
    nights = [
        Profile.model_validate({**usual, **same, "run": f"runs/{number}", "score_median": median})
        for number, median in enumerate([0.40, 0.41, 0.40, 0.80, 0.41, 0.40, 0.39, 0.40])
    ]
    assert [night.run for night in nights_without_drift(nights)] == [
        f"runs/{number}" for number in (0, 1, 2, 4, 5, 6, 7)
    ]
