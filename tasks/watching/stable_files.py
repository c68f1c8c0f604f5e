"""Which files of a watched folder are whole: those that have not changed for a moment and that nobody is writing."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.given_names import SIGN
from storage.images.listing import has_image_name

STABLE_SECONDS = 0.3
"""For so long a file must stay the same before it is read."""
COARSE_SECONDS = 2.1
"""The same where times are whole seconds: within two, the step of FAT's, a file could change unseen."""
WRITING_SECONDS = 10.0
"""The same for a file that its writer has not closed, or that ends in zeros as one does whose place was made first."""
RETRY_SECONDS = 1.0
"""Between two attempts to read a file that cannot be decoded yet."""
TAIL_BYTES = 4096
"""Zeros at the end of a file that make it look unfinished."""


@dataclass(frozen=True)
class FileState:
    """How a file looks from outside; another state means that it may have other content."""

    size: int
    """Bytes."""
    modified_ns: int
    """Last change of the content, nanoseconds since 1970; copying tools may keep that of the original."""
    changed_ns: int
    """Last change of content, name or rights, which no tool sets: a file put in another's place has another one."""


def file_state(path: Path) -> FileState | None:
    """The state of a file; None if it is gone or out of reach."""
    try:
        status = path.stat()
    except OSError:
        return None
    return FileState(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def image_paths(folder: Path, below: str = "") -> list[str]:
    """Paths, relative to the folder, of all files called like images, hidden ones left out, the earliest first.

    Args:
        below: relative path of a folder in it, to look through only that.
    """
    dated = []
    for base, folders, files in os.walk(folder / below):
        if SIGN in files:  # a store, whose pictures musc has drawn
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            file = Path(base, name)
            if is_wanted(path := file.relative_to(folder).as_posix()) and (state := file_state(file)):
                dated.append((state.modified_ns, path))
    return [path for _, path in sorted(dated)]


def is_wanted(path: str) -> bool:
    """Whether a file is called like an image and is not hidden."""
    return has_image_name(path) and not any(part.startswith(".") for part in path.split("/"))


def ends_in_zeros(path: Path) -> bool:
    """Whether the last bytes of a file are zeros, as where space was made first and is filled later."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            return size > TAIL_BYTES and not any(file.read())
    except OSError:
        return False


@dataclass
class PendingFiles:
    """Files that are waited for because they are new or changed, until they are read."""

    folder: Path
    seen: dict[str, tuple[FileState, float]] = field(default_factory=dict)
    """The state of each file, and since when it has been in it."""
    closed: set[str] = field(default_factory=set)
    """Files that their writer has closed, or that were renamed into place."""
    writing: set[str] = field(default_factory=set)
    """Files that were written to and not closed since."""
    postponed: dict[str, float] = field(default_factory=dict)
    """Files that are not read again before a time."""

    def add(self, path: str, *, written: bool = False, closed: bool = False) -> None:
        """Wait for a file.

        Args:
            path: relative to the folder.
            written: the system told of a write, which counts as a change though the state may not show it.
            closed: the system told that no more is written.
        """
        state = file_state(self.folder / path)
        if state is None:
            return
        if written or path not in self.seen:
            self.seen[path] = state, time.monotonic()
        if written:
            self.writing.add(path)
            self.closed.discard(path)
        if closed:
            self.closed.add(path)
            self.writing.discard(path)

    def stable(self) -> Iterator[tuple[str, FileState, float]]:
        """Files that have not changed for long enough: path, state, seconds in it; they are still waited for."""
        for path, (state, since) in list(self.seen.items()):
            now, current = time.monotonic(), file_state(self.folder / path)
            if current is None:
                self.drop(path)
            elif current != state:
                self.seen[path] = current, now
            elif now >= self.postponed.get(path, now) and now - since >= self.seconds_to_wait(path, state, now - since):
                yield path, current, now - since

    def seconds_to_wait(self, path: str, state: FileState, waited: float) -> float:
        """How long a file must stay in a state before it is read; its end is read only after `STABLE_SECONDS`."""
        if waited < STABLE_SECONDS:
            return STABLE_SECONDS
        if path in self.writing or (path not in self.closed and ends_in_zeros(self.folder / path)):
            return WRITING_SECONDS
        return COARSE_SECONDS if state.modified_ns % 1_000_000_000 == 0 else STABLE_SECONDS

    def postpone(self, path: str) -> None:
        """Wait a while before a file is read again."""
        self.postponed[path] = time.monotonic() + RETRY_SECONDS

    def drop(self, path: str) -> None:
        """Wait for a file no longer."""
        self.seen.pop(path, None)
        self.postponed.pop(path, None)
        self.closed.discard(path)
        self.writing.discard(path)
