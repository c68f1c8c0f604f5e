"""The photographs of a watched folder as they come: each once, as soon as it is whole."""

import logging
import threading
from collections.abc import Iterator

from storage.results.arrivals import Arrival
from tasks.watching.folder_events import FolderEvents
from tasks.watching.score_file import Watch, score_file
from tasks.watching.stable_files import FileState, PendingFiles, file_state, image_paths

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
"""For so long a file that does not change and cannot be decoded may still be on its way."""
TICK_SECONDS = 0.1


def new_rows(
    watch: Watch, names: set[str], states: dict[str, FileState], stop: threading.Event, *, poll: bool
) -> Iterator[tuple[str, Arrival]]:
    """Name and row of every photograph that is whole and has no row yet, as they come.

    Args:
        watch: what they are scored with.
        names: names of the rows that are there; the caller adds those that it gets.
        states: of the files when they were read last, by path; kept up to date here.
        stop: ends the iteration after the photograph at hand.
        poll: look at the folder every second instead of having changes told.
    """
    pending, failing = PendingFiles(watch.folder), set[str]()
    with FolderEvents(watch.folder, poll=poll) as events:
        while not stop.is_set():
            if events.should_scan():
                add_changed(pending, states)
            for change in events.take(TICK_SECONDS):
                if change.kind == "folder":
                    add_changed(pending, states, change.path)
                else:
                    states.pop(change.path, None)  # read again, also if times are too coarse to show the change
                    pending.add(change.path, written=change.kind == "written", closed=change.kind == "closed")
            for path, state, unchanged in pending.stable():
                if stop.is_set():
                    return
                try:
                    outcome = score_file(watch, path, state, names, patient=unchanged < PATIENCE_SECONDS)
                except OSError as error:
                    if path not in failing:
                        log.warning("%s cannot be read now (%s); it is tried again", path, error)
                    failing.add(path)
                    outcome = None
                if outcome is None:
                    pending.postpone(path)
                    continue
                pending.drop(path)
                failing.discard(path)
                states[path] = state
                if outcome.row:
                    yield outcome.name, outcome.row


def add_changed(pending: PendingFiles, states: dict[str, FileState], below: str = "") -> None:
    """Wait for the files of a folder that look another way than when they were read last."""
    for path in image_paths(pending.folder, below):
        if states.get(path) != file_state(pending.folder / path):
            pending.add(path)
