"""What happens in a watched folder: files written and renamed, folders moved in, and the folder itself gone."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.watching import folder_events
from tasks.watching.folder_events import Change, FolderEvents

WAIT_SECONDS = 30


@pytest.fixture(params=[False, True], ids=["told", "polled"])
def events(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderEvents]:
    monkeypatch.setattr(folder_events, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(folder_events, "POLL_SECONDS", 0.05)
    (tmp_path / "in").mkdir()
    with FolderEvents(tmp_path / "in", poll=request.param) as watched:
        yield watched


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def changed(events: FolderEvents, path: str) -> list[Change]:
    """All changes until one of a path comes."""
    found: list[Change] = []

    def came() -> bool:
        found.extend(events.take(0.05))
        return any(change.path == path for change in found)

    until(came)
    return found


@pytest.mark.timeout(30)
def test_events_end_their_wait_though_a_signal_is_handled_beyond_its_end(tmp_path: Path) -> None:
    handler = signal.signal(signal.SIGUSR1, lambda *_: time.sleep(0.3))
    try:
        with FolderEvents(tmp_path, poll=False) as events:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            assert events.take(0.15) == []
    finally:
        signal.signal(signal.SIGUSR1, handler)


def test_folder_events_tell_of_a_written_file(events: FolderEvents) -> None:
    (events.folder / "notes.txt").write_bytes(b"x")
    (events.folder / ".hidden.png").write_bytes(b"x")
    (events.folder / "0.png").write_bytes(b"x")
    assert {change.path for change in changed(events, "0.png")} == {"0.png"}


def test_folder_events_tell_of_a_file_renamed_into_place(events: FolderEvents) -> None:
    (events.folder / "0.part").write_bytes(b"x")
    (events.folder / "0.part").replace(events.folder / "0.png")
    assert {change.path for change in changed(events, "0.png")} == {"0.png"}


def test_folder_events_tell_when_a_writer_closes(tmp_path: Path) -> None:
    with FolderEvents(tmp_path, poll=False) as events:
        with (tmp_path / "0.png").open("wb") as file:
            file.write(b"x")
            file.flush()
            assert {change.kind for change in changed(events, "0.png")} <= {"seen", "written"}
        until(lambda: Change("0.png", "closed") in events.take(0.05))


def test_folder_events_name_a_folder_moved_in_with_its_files(events: FolderEvents, tmp_path: Path) -> None:
    (tmp_path / "camera").mkdir()
    (tmp_path / "camera" / "0.png").write_bytes(b"x")
    (tmp_path / "camera").rename(events.folder / "camera")
    assert Change("camera", "folder") in changed(events, "camera")


def test_folder_events_say_once_that_the_folder_is_gone_and_that_it_is_back(
    events: FolderEvents, caplog: pytest.LogCaptureFixture
) -> None:
    assert events.should_scan()  # at first
    away = events.folder.with_name("away")
    with caplog.at_level(logging.WARNING):
        events.folder.rename(away)
        until(lambda: not events.should_scan() and "is gone" in caplog.text)
        for _ in range(5):
            time.sleep(0.06)
            assert not events.should_scan()
        away.rename(events.folder)
        until(events.should_scan)
    assert [record.message.partition(" is ")[2].partition(";")[0] for record in caplog.records] == ["gone", "back"]
    (events.folder / "0.png").write_bytes(b"x")
    assert changed(events, "0.png")


def test_folder_events_go_on_in_another_folder_of_the_same_name(
    events: FolderEvents, caplog: pytest.LogCaptureFixture
) -> None:
    assert events.should_scan()
    events.folder.rename(events.folder.with_name("away"))
    events.folder.mkdir()
    with caplog.at_level(logging.WARNING):
        until(events.should_scan)
    assert "is another folder than before" in caplog.text
    (events.folder / "0.png").write_bytes(b"x")
    assert changed(events, "0.png")


def test_folder_events_poll_where_the_system_cannot_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refused(folder_events.PollingObserver):
        def start(self) -> None:
            raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(folder_events, "Observer", Refused)
    monkeypatch.setattr(folder_events, "POLL_SECONDS", 0.05)
    with caplog.at_level(logging.WARNING), FolderEvents(tmp_path, poll=False) as events:
        (tmp_path / "0.png").write_bytes(b"x")
        assert changed(events, "0.png")
    assert "inotify watch limit reached" in caplog.text
