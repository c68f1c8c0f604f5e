"""Lots that are still being written when the night comes to them, and a store that takes no more."""

from pathlib import Path

import pytest

from flows.pipelines.lot import score_folder
from flows.pipelines.night import NightFailedError, score_night
from planning.nights.outcomes import Night, Status
from planning.requests import LotRequest, NightRequest, request_of
from planning.task_results import ScoredLot
from tasks.runtime.runner import InlineRunner
from tests.flows.conftest import draw

SMALL = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1,)}
PICTURES = 5


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two lots of one product."""
    for day in (20, 21):
        for number in range(PICTURES):
            draw(
                tmp_path / "lots" / "bolt" / f"2026-11-{day}" / f"{number:03d}.png", 10 * day + number, defective=False
            )
    return tmp_path / "lots"


def request_for(root: Path) -> NightRequest:
    return request_of(NightRequest, {"root": str(root), "output": str(root.parent / "store"), **SMALL})


def night(root: Path) -> Night:
    runner = InlineRunner()
    return score_night(request_for(root), runner, lambda one: score_folder(one, runner))


def told(done: Night) -> list[tuple[Status, int]]:
    """What came of each lot, and of how many images."""
    return [(outcome.status, outcome.images) for outcome in done.outcomes]


def test_photograph_cut_off_at_night_is_scored_the_next_night(root: Path) -> None:
    last = root / "bolt" / "2026-11-21" / "004.png"
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    first = night(root)
    assert told(first) == [(Status.SCORED, PICTURES), (Status.SCORED, PICTURES - 1)]
    assert first.outcomes[1].left_out == "1 unreadable"
    last.write_bytes(whole)
    second = night(root)
    assert told(second) == [(Status.FINISHED, PICTURES), (Status.SCORED, PICTURES)]
    assert second.outcomes[1].run != first.outcomes[1].run


def test_photograph_that_comes_while_its_lot_is_scored_has_the_lot_scored_again(root: Path) -> None:
    runner, late = InlineRunner(), root / "bolt" / "2026-11-21" / "005.png"

    def score(one: LotRequest) -> ScoredLot:
        done = score_folder(one, runner)
        if one.folder == str(late.parent):
            draw(late, 7, defective=False)
        return done

    assert told(score_night(request_for(root), runner, score))[1] == (Status.SCORED, PICTURES)
    assert told(night(root)) == [(Status.FINISHED, PICTURES), (Status.SCORED, PICTURES + 1)]
    assert told(night(root))[1] == (Status.FINISHED, PICTURES + 1)


def test_lot_that_cannot_even_be_noted_as_failed_leaves_the_others_their_turn(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("planning.nights.due_lots.note_attempt", full)
    with pytest.raises(NightFailedError, match="2 of 2 lots failed") as failed:
        score_night(request_for(root), InlineRunner(), full)
    assert [outcome.found.name for outcome in failed.value.night.outcomes] == ["2026-11-20", "2026-11-21"]
    assert "; the disk at " in failed.value.night.outcomes[1].reason
    assert "bolt-2026-11-21: the review site will not show why it has no result: [Errno 28]" in caplog.text
