"""Progress in one process: what listeners are told."""

from collections.abc import Iterator

import pytest

from tasks.runtime import progress
from tasks.runtime.progress import StageProgress, advance, begin, listening, settle


@pytest.fixture
def format_failures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int, int]]]:
    """Stage, units done and planned at every change."""
    monkeypatch.setattr(progress, "_stages", {})
    heard: list[tuple[str, int, int]] = []

    def listen(stage: StageProgress) -> None:
        heard.append((stage.stage, stage.done, stage.total))

    with listening(listen):
        yield heard


def test_progress_counts_reused_units_as_done(told: list[tuple[str, int, int]]) -> None:
    begin("extract", 19, reused=8)
    assert told == [("extract", 8, 19)]


def test_progress_adds_units_of_all_orders(told: list[tuple[str, int, int]]) -> None:
    begin("extract", 19, reused=0)
    advance("extract", "a", 3)
    advance("extract", "b", 5)
    advance("extract", "a", 2)
    assert [done for _, done, _ in told] == [0, 3, 8, 10]


def test_progress_settles_an_order_whatever_it_reported(told: list[tuple[str, int, int]]) -> None:
    begin("extract", 19, reused=0)
    advance("extract", "a", 3)
    advance("extract", "a", 3)  # a retry reports again
    settle("extract", "a", 5)
    settle("extract", "b", 14)
    assert told[-1] == ("extract", 19, 19)


def test_progress_of_a_stage_that_begins_again_starts_over(told: list[tuple[str, int, int]]) -> None:
    begin("score", 4, reused=0)
    settle("score", "a", 4)
    begin("score", 7, reused=0)
    assert told[-1] == ("score", 0, 7)


def test_progress_of_a_process_without_the_flow_is_ignored(told: list[tuple[str, int, int]]) -> None:
    advance("extract", "a", 3)
    assert told == []


def test_progress_is_told_to_nobody_after_listening(told: list[tuple[str, int, int]]) -> None:
    heard: list[StageProgress] = []
    with pytest.raises(RuntimeError, match="stopped"), listening(heard.append):
        begin("score", 4, reused=0)
        raise RuntimeError("stopped")
    settle("score", "a", 4)
    assert len(heard) == 1
    assert len(told) == 2
