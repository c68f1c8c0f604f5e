"""Which files of a watched folder are whole: those whose size and time have not changed for a moment."""

import os
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from storage.images.listing import has_image_name

SETTLED_SECONDS = 0.3
"""For so long a file must look the same before it is read."""
POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0
"""Between two attempts to read a file that cannot be decoded yet."""

Look = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""


def look_at(place: Path) -> Look | None:
    """How a file looks from outside; None if it is gone."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def image_paths(folder: Path) -> Iterator[str]:
    """Relative paths of all files called like images, hidden ones left out, the earliest first."""
    found = []
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            place = Path(base, name)
            looked = look_at(place)
            if is_wanted(path := place.relative_to(folder).as_posix()) and looked:
                found.append((looked[1], path))
    yield from (path for _, path in sorted(found))


def is_wanted(path: str) -> bool:
    """Whether a file is called like an image and is not hidden."""
    return has_image_name(path) and not any(part.startswith(".") for part in path.split("/"))


@dataclass
class Waiting:
    """Files that may still be written."""

    folder: Path
    seen: dict[str, tuple[Look, float]] = field(default_factory=dict)
    """How each file looked, and since when."""
    later: dict[str, float] = field(default_factory=dict)
    """Files that are not looked at again before a time."""

    def add(self, path: str) -> None:
        """Wait for a file."""
        looked = look_at(self.folder / path)
        if looked and path not in self.seen:
            self.seen[path] = looked, time.monotonic()

    def settled(self) -> list[tuple[str, Look, float]]:
        """Files that have not changed for a moment: path, look, seconds without change; they are still waited for."""
        now, found = time.monotonic(), []
        for path, (looked, since) in list(self.seen.items()):
            current = look_at(self.folder / path)
            if current is None:
                del self.seen[path]
            elif current != looked:
                self.seen[path] = current, now
            elif now - since >= SETTLED_SECONDS and current[0] and now >= self.later.get(path, now):
                found.append((path, current, now - since))
        return found

    def postpone(self, path: str) -> None:
        """Wait a while before a file is read again."""
        self.later[path] = time.monotonic() + RETRY_SECONDS

    def drop(self, path: str) -> None:
        """Wait for a file no longer."""
        self.seen.pop(path, None)
        self.later.pop(path, None)


class Handler(FileSystemEventHandler):
    """Puts relative paths of files that are made, changed or renamed into a queue."""

    def __init__(self, folder: Path, changed: "queue.SimpleQueue[str]") -> None:
        self.folder, self.changed = folder, changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory or event.event_type not in ("created", "modified", "moved", "closed"):
            return
        place = Path(os.fsdecode(event.dest_path if event.event_type == "moved" else event.src_path))
        if place.is_relative_to(self.folder) and is_wanted(path := place.relative_to(self.folder).as_posix()):
            self.changed.put(path)


@contextmanager
def observing(folder: Path, *, poll: bool) -> Iterator["queue.SimpleQueue[str]"]:
    """A queue of the paths that change below a folder, told by the system, or found by looking every second."""
    changed: queue.SimpleQueue[str] = queue.SimpleQueue()
    observer = PollingObserver(timeout=POLL_SECONDS) if poll else Observer()
    observer.schedule(Handler(folder, changed), str(folder), recursive=True)
    observer.start()
    try:
        yield changed
    finally:
        observer.stop()
        observer.join()
