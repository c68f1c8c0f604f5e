"""A night on the console: lots that failed are named, and the command fails with them."""

import pytest
from rich.console import Console

from planning.nightly import Night, Outcome, Status
from planning.requests import NightRequest
from storage.images.lot_tree import FoundLot


def test_failed_lots_are_shown_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.commands import nightly
    from flows.pipelines.night import NightFailedError

    found = [FoundLot(category, f"lots/{category}/[1]", "[1]", None) for category in ("bolt", "nut")]
    outcomes = (Outcome(found[0], Status.TOO_SMALL), Outcome(found[1], Status.FAILED, reason="[planted]"))

    def fail(request: NightRequest) -> None:
        raise NightFailedError(Night(outcomes, ("[nut] is small",)))

    screen = Console(width=120, record=True)
    monkeypatch.setattr(nightly, "console", screen)
    monkeypatch.setattr(nightly, "score_lots", fail)
    with pytest.raises(NightFailedError, match="1 of 2 lots failed"):
        nightly.run(NightRequest(output="out"))
    shown = screen.export_text()
    assert [text in shown for text in ("nut", "[1]", "[planted]", "note: [nut] is small", "bolt")] == [True] * 4 + [
        False
    ]
