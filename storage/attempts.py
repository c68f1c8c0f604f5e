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
from storage.store import Store

log = logging.getLogger(__name__)

FOLDER = "attempts"


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


def read_attempts(store: Store) -> list[Attempt]:
    """All lots that have no run, the latest first; files that are no attempts are left out."""
    attempts = []
    for name in store.sizes(FOLDER):
        try:
            attempts.append(Attempt(**json.loads(store.read(f"{FOLDER}/{name}"))))
        except FileNotFoundError:  # it has just ended in a run
            log.debug("%s/%s is gone meanwhile", FOLDER, name)
        except (ValueError, TypeError) as error:
            log.info("%s/%s is no attempt of this release and is left out: %s", FOLDER, name, error)
    return sorted(attempts, key=lambda attempt: attempt.begun, reverse=True)
