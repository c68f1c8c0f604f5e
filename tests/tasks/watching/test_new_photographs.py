"""Photographs of a watched folder as they come: each once, again after an error, none after the end."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.results.arrivals import Arrival
from tasks.watching import new_photographs, stable_files
from tasks.watching.new_photographs import add_changed, new_rows
from tasks.watching.score_file import ScoredFile
from tasks.watching.stable_files import FileState, PendingFiles, file_state
from tests.tasks.watching.rows import scored_row


class Reading:
    """Stands for scoring: what is read, in order, and what each reading does instead, by path."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.answers: dict[str, list[Callable[[], ScoredFile | None]]] = {}

    def __call__(self, watch: Any, path: str, state: FileState, names: set[str], *, patient: bool) -> ScoredFile | None:
        self.paths.append(path)
        if self.answers.get(path):
            return self.answers[path].pop(0)()
        return ScoredFile(path, None if path in names else scored_row(path))


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    reading = Reading()
    monkeypatch.setattr(new_photographs, "score_file", reading)
    for name in ("STABLE_SECONDS", "COARSE_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(stable_files, name, 0.01)
    return reading


class Folder:
    """A folder that is watched, with what is known of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: set[str] = set()
        self.states: dict[str, FileState] = {}
        self.stop = threading.Event()

    def rows(self) -> Iterator[tuple[str, Arrival]]:
        watch = type("AnyWatch", (), {"folder": self.path})
        return new_rows(watch, self.names, self.states, self.stop, poll=False)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "0.png").write_bytes(b"first")
    return Folder(tmp_path)


def test_new_rows_name_each_photograph_once_as_it_comes(folder: Folder, reading: Reading) -> None:
    rows = folder.rows()
    assert next(rows)[0] == "0.png"
    (folder.path / "1.png").write_bytes(b"second")
    assert next(rows)[0] == "1.png"
    assert reading.paths == ["0.png", "1.png"]
    assert folder.states == {name: file_state(folder.path / name) for name in ("0.png", "1.png")}


def test_new_rows_leave_out_a_photograph_that_has_its_row(folder: Folder, reading: Reading) -> None:
    folder.names.add("0.png")
    (folder.path / "1.png").write_bytes(b"second")
    assert next(folder.rows())[0] == "1.png"
    assert "0.png" in reading.paths
    assert "0.png" in folder.states, "it is not read again until it changes"


def test_new_rows_try_again_what_is_incomplete_or_cannot_be_read_and_say_so_once(
    folder: Folder, reading: Reading, caplog: pytest.LogCaptureFixture
) -> None:
    def gone() -> ScoredFile | None:
        raise OSError("the share is away")

    reading.answers["0.png"] = [lambda: None, gone, gone]
    with caplog.at_level(logging.WARNING):
        assert next(folder.rows())[0] == "0.png"
    assert reading.paths == ["0.png"] * 4
    (said,) = [one.getMessage() for one in caplog.records if one.name.startswith("tasks.")]  # watchdog says its own
    assert said == "0.png cannot be read now (the share is away); it is tried again"


def test_new_rows_end_after_the_photograph_at_hand(folder: Folder, reading: Reading) -> None:
    (folder.path / "1.png").write_bytes(b"second")
    rows = folder.rows()
    next(rows)
    folder.stop.set()
    assert list(rows) == []
    assert len(reading.paths) == 1


def test_add_changed_waits_for_files_that_look_another_way_below_a_folder(folder: Folder) -> None:
    (folder.path / "camera").mkdir()
    for name in ("same.png", "changed.png"):
        (folder.path / "camera" / name).write_bytes(b"x")
    same, changed = (file_state(folder.path / "camera" / name) for name in ("same.png", "changed.png"))
    assert same
    assert changed
    (folder.path / "camera" / "changed.png").write_bytes(b"longer")
    pending = PendingFiles(folder.path)
    add_changed(pending, {"camera/same.png": same, "camera/changed.png": changed}, "camera")
    assert set(pending.seen) == {"camera/changed.png"}
