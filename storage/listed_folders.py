"""Folders of files that are only ever added: listed again only where something may have been added since."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from storage.store import Store

SETTLED_SECONDS = 2.0
"""A folder that changed so shortly before it was listed is listed again: clocks of file systems are coarse."""
SEEN_SECONDS = 60.0
"""An object store does not tell which folders changed; who has seen all lists them again after this time."""


class Listed(NamedTuple):
    """What lies in a folder, as it was listed last."""

    names: list[str]
    changed_ns: int
    """When the folder changed last, by its file system; -1 where that cannot be relied upon."""


class ListedFolders:
    """The folders below one, each with its own files; safe for several threads, as what is kept is only replaced.

    Several programs, on several machines, may add files. A local or mounted file system notes when a folder has
    changed, so those that have not are not listed again. An object store is listed whole.
    """

    def __init__(self, store: Store, root: str, clock: Callable[[], float] = time.time) -> None:
        """Of a store.

        Args:
            root: path of the folder whose folders are listed.
            clock: seconds since 1970.
        """
        self.store, self.root, self._clock = store, root, clock
        self._known: dict[str, Listed] = {}
        self._all: tuple[float, dict[str, list[str]]] = -float("inf"), {}

    def of(self, folder: str) -> list[str]:
        """Names of the files in one folder below the root, sorted; none if it is missing.

        Args:
            folder: path in the store.
        """
        if not self.store.is_local:
            return [name for name in self.store.names(folder) if "/" not in name]
        try:
            return self._listed(self.store.full(folder), Path(self.store.full(folder)).stat().st_mtime_ns)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def every(self, fresh: str = "") -> dict[str, list[str]]:
        """Names of the files of each folder, sorted, by the folder's name.

        Args:
            fresh: name of the one folder that must be listed now in an object store, where of the others what was
                listed within `SEEN_SECONDS` is enough; empty where all must be.
        """
        if self.store.is_local:
            listed = ((entry.name, self._listed(entry.path, entry.stat().st_mtime_ns)) for entry in self._entries())
            return {name: names for name, names in sorted(listed) if names}
        since, folders = self._all
        if fresh and self._clock() - since < SEEN_SECONDS:
            return {**folders, fresh: self.of(f"{self.root}/{fresh}")}
        began, folders = self._clock(), {}
        for name in self.store.names(self.root):
            folder, _, file = name.partition("/")
            if file and "/" not in file:
                folders.setdefault(folder, []).append(file)
        self._all = began, folders
        return folders

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self.store.full(self.root)) as entries:
                yield from (entry for entry in entries if entry.is_dir())
        except FileNotFoundError:
            return

    def _listed(self, path: str, changed_ns: int) -> list[str]:
        """Names of the files in a folder.

        Args:
            changed_ns: when it changed last, asked for before it is listed.
        """
        known = self._known.get(path)
        if known and known.changed_ns == changed_ns:
            return known.names
        settled = self._clock() - changed_ns / 1e9 > SETTLED_SECONDS
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries)
        self._known[path] = Listed(names, changed_ns if settled else -1)
        return names
