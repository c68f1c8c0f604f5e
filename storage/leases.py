"""Leases: artefacts that a running or interrupted run needs, which `musc clean` must keep.

A lease is one small file. It is written when a run starts and again when it knows more, and removed when the run is
complete, whose record then says the same. A killed run leaves its lease behind, which counts until it is old.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from storage.store import Store

log = logging.getLogger(__name__)

FOLDER = "leases"


@dataclass
class Lease:
    """The artefacts one run will read."""

    store: Store
    name: str
    paths: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        """Where the lease lies in the store."""
        return f"{FOLDER}/{self.name}.json"

    def add(self, paths: Iterable[str]) -> None:
        """Lease some more artefacts, and all leased so far once more."""
        self.paths.update(paths)
        self.store.write(self.path, json.dumps({"paths": sorted(self.paths)}).encode())


@contextmanager
def leasing(store: Store, name: str) -> Iterator[Lease]:
    """A lease for as long as the `with` block lasts; after an error or a kill it stays, as the run can go on."""
    lease = Lease(store, name)
    if store.exists(lease.path):
        log.info("the lease %s of an earlier attempt is taken over", lease.path)
    yield lease
    store.delete(lease.path)


def leased_paths(content: bytes) -> list[str]:
    """The artefacts a lease names.

    Raises:
        ValueError: if the content is no lease.
    """
    found = json.loads(content)
    if not isinstance(found, dict) or not isinstance(found.get("paths"), list):
        raise ValueError("a lease must list its paths")
    return [str(path) for path in found["paths"]]
