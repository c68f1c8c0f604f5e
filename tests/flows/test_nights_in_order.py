"""Nights are compared by the date of their lots, whenever they were scored, and tell what a person should know."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flows.pipelines.lot import score_folder
from flows.pipelines.night import score_night
from planning.requests import NightRequest, request_of
from planning.task_results import ScoredLot
from storage.datasets.synthetic.lot import write_lot
from storage.store import Store
from tasks.monitoring import events
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request, prepare

SMALL: dict[str, Any] = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1,)}
NIGHTS = range(18, 22)
ONE_EARLIER = "One earlier night is too few"


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four nights of eight good caps; on the last one the lamp was dim."""
    root = tmp_path_factory.mktemp("lots")
    for night in NIGHTS:
        folder = root / "cap" / f"2026-11-{night}"
        folder.mkdir(parents=True)
        drawn = tmp_path_factory.mktemp("drawn")
        for picture in write_lot(drawn, good_count=8, defective_count=0, size=64, seed=night):
            pixels = np.asarray(Image.open(picture), dtype=float) * (0.3 if night == NIGHTS[-1] else 1)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / picture.name)
    return root


def by_hand(lots: Path, night: int, store: Path, **more: Any) -> ScoredLot:
    return score_folder(lot_request(lots / "cap" / f"2026-11-{night}", store, **SMALL, **more), InlineRunner())


def page(store: Path, done: ScoredLot) -> str:
    assert done.report
    return (store / done.report).read_text("utf-8")


def test_earlier_night_that_arrives_later_renews_the_page_of_the_later_one(lots: Path, tmp_path: Path) -> None:
    later = by_hand(lots, 20, tmp_path)
    alone = page(tmp_path, later)
    earlier = by_hand(lots, 19, tmp_path)
    assert not later.is_followed
    assert earlier.is_followed
    assert ONE_EARLIER not in alone
    assert ONE_EARLIER in page(tmp_path, later)
    assert ONE_EARLIER not in page(tmp_path, earlier), "a later night is never called an earlier one"


def test_backlog_is_scored_oldest_first_and_as_by_hand(lots: Path, tmp_path: Path) -> None:
    asked = request_of(NightRequest, {"root": str(lots), "output": str(tmp_path), **SMALL})
    runner = InlineRunner()
    night = score_night(asked, runner, lambda one: score_folder(one, runner))
    assert [outcome.found.lot for outcome in night.outcomes] == [f"cap-2026-11-{day}" for day in NIGHTS]
    done = by_hand(lots, NIGHTS[-1], tmp_path)
    assert done.run in night.runs, "the same lot, product and run key"
    assert any("darker than usual" in warning and "3 earlier" in warning for warning in done.warnings)
    assert "brightness" in " ".join(done.unusual)
    told = night.outcomes[-1].as_row()["what the warnings say"]
    assert all(warning in told for warning in done.warnings)


def test_event_of_an_unusual_night_carries_what_its_page_says(
    lots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(events, "emit_event", lambda event, resource, payload: sent.append({**payload, **resource}))
    done = [by_hand(lots, night, tmp_path) for night in NIGHTS]
    for night, one in zip(NIGHTS, done, strict=True):
        events.emit_scored(prepare(lots / "cap" / f"2026-11-{night}", tmp_path, **SMALL), one)
    assert [one["musc.alert"] for one in sent] == ["no", "no", "no", "yes"]
    assert sent[-1]["warnings"] == list(done[-1].warnings)
    assert sent[-1]["musc.flagged"] == str(sent[-1]["flagged"]) == str(done[-1].flagged)
    assert Path(sent[-1]["page"]) == Path(Store(str(tmp_path)).location(str(done[-1].report)))


def test_no_part_judged_good_yet_is_told(lots: Path, tmp_path: Path) -> None:
    (note,) = by_hand(lots, 18, tmp_path, good_from_verdicts=True).notes
    assert "cap" in note
    assert "judged good" in note
