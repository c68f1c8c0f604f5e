"""Progress in one process: what listeners are told."""

from collections.abc import Iterator

import pytest

from tasks.runtime import progress
from tasks.runtime.progress import StageProgress, advance, begin, listening, settle


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int, int]]]:
    """Stage, units done and planned at every change."""
    monkeypatch.setattr(progress, "_stages", {})
    heard: list[tuple[str, int, int]] = []

    def listen(stage: StageProgress) -> None:
        heard.append((stage.stage, stage.done, stage.total))

    with listening(listen):
        yield heard


def test_progress_counts_reused_units_as_done(heard: list[tuple[str, int, int]]) -> None:
    begin("extract", 19, "images", reused=8)
    assert heard == [("extract", 8, 19)]


def test_progress_adds_units_of_all_specs(heard: list[tuple[str, int, int]]) -> None:
    begin("extract", 19, "images", reused=0)
    advance("extract", "a", 3)
    advance("extract", "b", 5)
    advance("extract", "a", 2)
    assert [done for _, done, _ in heard] == [0, 3, 8, 10]


def test_progress_settles_a_spec_whatever_it_reported(heard: list[tuple[str, int, int]]) -> None:
    begin("extract", 19, "images", reused=0)
    advance("extract", "a", 3)
    advance("extract", "a", 3)  # a retry reports again
    settle("extract", "a", 5)
    settle("extract", "b", 14)
    assert heard[-1] == ("extract", 19, 19)


def test_progress_of_a_stage_that_begins_again_starts_over(heard: list[tuple[str, int, int]]) -> None:
    begin("score", 4, "shards")
    settle("score", "a", 4)
    begin("score", 7, "shards")
    assert heard[-1] == ("score", 0, 7)


def test_progress_of_a_process_without_the_flow_is_ignored(heard: list[tuple[str, int, int]]) -> None:
    advance("extract", "a", 3)
    assert heard == []


def test_progress_is_told_to_nobody_after_listening(heard: list[tuple[str, int, int]]) -> None:
    other: list[StageProgress] = []
    with pytest.raises(RuntimeError, match="stopped"), listening(other.append):
        begin("score", 4, "shards")
        raise RuntimeError("stopped")
    settle("score", "a", 4)
    assert len(other) == 1
    assert len(heard) == 2


def test_progress_display_that_fails_costs_no_work(
    heard: list[tuple[str, int, int]], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(stage: StageProgress) -> None:
        raise KeyError(stage.stage)

    with listening(broken):
        begin("export", 3, "file")
        settle("export", "a", 3)
    assert heard == [("export", 0, 3), ("export", 3, 3)]
    assert caplog.text.count("progress is no longer shown: KeyError: 'export'") == 1
