"""One reader of a store's verdicts for all lots of a process, as their files never change and are read once."""

from functools import lru_cache

from storage.results.verdicts import VerdictReader
from storage.store import Store

STORES = 4
"""Whose verdicts are kept in memory, about 1 KB each."""


def reader_of(store: Store) -> VerdictReader:
    """The reader that this process has for a store."""
    return _reader(store.url)


@lru_cache(STORES)
def _reader(url: str) -> VerdictReader:
    return VerdictReader(Store(url))
