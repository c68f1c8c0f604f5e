"""Attempts: lots that were started or refused and have no run, for the review site.

`attempts/<key>.json` is written when a lot is begun, says why when it fails, and is deleted when its run is finished. A
killed attempt leaves its file behind without a reason.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from storage.artefacts import digest
from storage.store import TIMES, Store, find_below

log = logging.getLogger(__name__)

FOLDER = "attempts"
STAMPS = ("size", "ino", "ETag", "etag", *TIMES)
"""What tells a file from one that replaced it, by the names that file systems have for it."""
Stamp = tuple[object, ...]


@dataclass(frozen=True)
class Attempt:
    """A lot that has no run yet."""

    lot: str
    category: str
    folder: str
    begun: str
    """UTC, ISO 8601."""
    reason: str = ""
    """Why it failed or was refused; empty while it is going on, or if it was killed."""

    @property
    def path(self) -> str:
        """Where it lies in the store: the same for every attempt at a lot."""
        return f"{FOLDER}/{digest({'lot': self.lot, 'category': self.category, 'folder': self.folder})}.json"


def begin(lot: str, category: str, folder: str, reason: str = "") -> Attempt:
    """An attempt that begins, or fails, now."""
    return Attempt(lot, category, folder, datetime.now(UTC).isoformat(timespec="seconds"), reason)


def note_attempt(store: Store, attempt: Attempt) -> None:
    """Store an attempt; errors of writing are ignored."""
    with suppress(OSError):
        store.write(attempt.path, json.dumps(asdict(attempt), ensure_ascii=False).encode())


@contextmanager
def attempting(store: Store, lot: str, category: str, folder: str) -> Iterator[None]:
    """Note a lot as begun for as long as the `with` block lasts, and why it failed if it does."""
    attempt = begin(lot, category, folder)
    note_attempt(store, attempt)
    try:
        yield
    except Exception as error:
        note_attempt(store, replace(attempt, reason=str(error) or type(error).__name__))
        raise
    with suppress(OSError):
        store.delete(attempt.path)


class AttemptReader:
    """Reads attempts; one that is still the same file is read once, however often it is asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[str, tuple[Stamp, Attempt | None]] = {}

    def read(self) -> list[Attempt]:
        """All lots that have no run, the latest first; files that are no attempts are left out."""
        found: dict[str, tuple[Stamp, Attempt | None]] = {}
        for name, stamp in stamps(self.store).items():
            known = self._known.get(name)
            found[name] = known if known and known[0] == stamp else (stamp, self._attempt(name))
        self._known = found
        attempts = [attempt for _, attempt in found.values() if attempt]
        return sorted(attempts, key=lambda attempt: attempt.begun, reverse=True)

    def _attempt(self, name: str) -> Attempt | None:
        try:
            return Attempt(**json.loads(self.store.read(f"{FOLDER}/{name}")))
        except FileNotFoundError:  # it has just ended in a run
            log.debug("%s/%s is gone meanwhile", FOLDER, name)
        except (ValueError, TypeError) as error:
            log.info("%s/%s is no attempt of this release and is left out: %s", FOLDER, name, error)
        return None


def stamps(store: Store) -> dict[str, Stamp]:
    """Of each file of attempts, by its name, what becomes another when it is written again."""
    store.filesystem.invalidate_cache()
    base = store.full(FOLDER)
    found = find_below(store.filesystem, base, detail=True)
    return {name[len(base) :].lstrip("/"): tuple(map(found[name].get, STAMPS)) for name in sorted(found)}


def read_attempts(store: Store) -> list[Attempt]:
    """All lots that have no run, the latest first; files that are no attempts are left out."""
    return AttemptReader(store).read()
