"""What happens in a watched folder, told by the system or found by looking each second; also when it comes or goes."""

import logging
import os
import queue
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from tasks.watching.stable_files import is_wanted

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
CHECK_SECONDS = 1.0
"""Between two looks whether the folder is still there."""
RESCAN_SECONDS = 30.0
"""Between two looks through the whole folder, should an event have been lost."""


@dataclass(frozen=True)
class Change:
    """Something that happened below the folder."""

    path: str
    """Relative to it."""
    kind: Literal["seen", "written", "closed", "folder"]
    """A file is new or looks another, was written to and not closed yet, or was closed or renamed into place; or a
    folder is new with all it holds."""


class ChangeHandler(FileSystemEventHandler):
    """Puts what happens to files called like images, and new folders, into a queue."""

    def __init__(self, folder: Path, changes: "queue.Queue[Change]", *, reports_closing: bool) -> None:
        self.folder, self.changes, self.reports_closing = folder, changes, reports_closing

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Keep an event that may mean a new or changed photograph."""
        absolute = Path(os.fsdecode(event.dest_path if event.event_type == "moved" else event.src_path))
        if not absolute.is_relative_to(self.folder):
            return
        path = absolute.relative_to(self.folder).as_posix()
        if event.is_directory:
            if event.event_type in ("created", "moved"):
                self.changes.put(Change(path, "folder"))
        elif is_wanted(path):
            match event.event_type:
                case "created" | "attrib":
                    self.changes.put(Change(path, "seen"))
                case "modified":
                    self.changes.put(Change(path, "written" if self.reports_closing else "seen"))
                case "closed" | "moved":
                    self.changes.put(Change(path, "closed"))


class FolderEvents:
    """Changes below a folder, which may be gone for a while, or be another one when a share is mounted."""

    def __init__(self, folder: Path, *, poll: bool) -> None:
        self.folder, self.poll = folder, poll
        # A `SimpleQueue` waits without end where a signal is handled while its time runs out (CPython 3.11).
        self.changes: queue.Queue[Change] = queue.Queue()
        self.observer: BaseObserver | None = None
        self.identity = folder_identity(folder)
        self.checked = self.scanned = float("-inf")

    def __enter__(self) -> Self:
        self._observe()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def take(self, seconds: float) -> list[Change]:
        """All changes since the last call, in order; waits so long for the first."""
        changes: list[Change] = []
        try:
            changes.append(self.changes.get(timeout=seconds))
            while True:
                changes.append(self.changes.get_nowait())
        except queue.Empty:
            return list(dict.fromkeys(changes))

    def should_scan(self) -> bool:
        """Whether the whole folder must be looked through: at first, now and then, and when it came back."""
        now = time.monotonic()
        if now - self.checked >= CHECK_SECONDS:
            self.checked = now
            self._follow()
        if self.identity is None or now - self.scanned < RESCAN_SECONDS:
            return False
        self.scanned = now
        return True

    def _follow(self) -> None:
        """See whether the folder is there and the same; observe it anew if it is another."""
        identity = folder_identity(self.folder)
        if identity == self.identity:
            return
        if identity is None:
            log.warning("%s is gone; photographs are scored again when it is back", self.folder)
            self._stop()
        elif self.identity is None:
            log.warning("%s is back; photographs are scored again", self.folder)
        else:
            log.warning("%s is another folder than before, as after mounting a share; watching goes on", self.folder)
        self.identity = identity
        if identity is not None:
            self._stop()
            self._observe()
            self.scanned = float("-inf")

    def _observe(self) -> None:
        """Have changes told; where the system cannot, which is said, look every second."""
        try:
            self.observer = self._started()
        except FileNotFoundError:
            self.identity = None  # gone since it was looked at
        except OSError as error:  # of inotify: too many folders or watches
            log.warning(
                "the system reports no changes of %s (%s); the folder is scanned every second", self.folder, error
            )
            self.poll = True
            self.observer = self._started()

    def _started(self) -> BaseObserver:
        observer = PollingObserver(timeout=POLL_SECONDS) if self.poll else Observer()
        reports_closing = not self.poll and sys.platform == "linux"
        handler = ChangeHandler(self.folder, self.changes, reports_closing=reports_closing)
        observer.schedule(handler, str(self.folder), recursive=True)
        observer.start()
        return observer

    def _stop(self) -> None:
        if self.observer is not None:
            self.observer.stop()
            self.observer.join()
            self.observer = None


def folder_identity(folder: Path) -> tuple[int, int] | None:
    """Device and number of a folder, which another one of the same name does not have; None if it is out of reach."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if folder.is_dir() else None
