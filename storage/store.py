"""One interface to a place that keeps files: a local path or any URL fsspec knows, such as `s3://bucket/prefix`."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fsspec

from storage.given_names import SIGN
from storage.paths_and_urls import open_place, options_of

if TYPE_CHECKING:
    import zarr

PARTIAL = ".partial-"
"""Marks names that are still being written; a reader never looks at them."""

SIGN_TEXT = b"Results of musc lie in this folder. Photographs below it are not scored, so leave this file here.\n"

TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
"""When a file was written, by the various names that fsspec's file systems have for it."""


@dataclass(frozen=True)
class Store:
    """Files below one root. Paths are relative to the root and use `/`. Small, so that every task carries one."""

    url: str

    @cached_property
    def _filesystem_and_root(self) -> tuple[fsspec.AbstractFileSystem, str]:
        filesystem, root = open_place(self.url)
        return filesystem, root.rstrip("/")

    @property
    def filesystem(self) -> fsspec.AbstractFileSystem:
        """The fsspec file system that holds the root."""
        return self._filesystem_and_root[0]

    @property
    def is_local(self) -> bool:
        """Whether the root is a folder of this machine."""
        return "file" in _protocols(self.filesystem)

    def full(self, path: str) -> str:
        """The path as the file system knows it."""
        root = self._filesystem_and_root[1]
        return f"{root}/{path}" if path else root

    def location(self, path: str) -> str:
        """The path or URL a person or another program can open."""
        return self.full(path) if self.is_local else self.filesystem.unstrip_protocol(self.full(path))

    def inside(self, location: str) -> str:
        """The path in this store of what a person names, with the store in front of it or without."""
        base, whole = (f"{Store(url).location('').rstrip('/')}/" for url in (self.url, location))
        return (whole.removeprefix(base) if whole.startswith(base) else location).rstrip("/")

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there; object stores are asked afresh, never a cached listing."""
        self.filesystem.invalidate_cache()
        return bool(self.filesystem.exists(self.full(path)))

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: if there is none.
        """
        return bytes(self.filesystem.cat_file(self.full(path)))

    def write(self, path: str, content: bytes) -> None:
        """Put a whole file in place at once: a reader sees the old content or the new, never a part."""
        target = self.full(path)
        if not self.is_local:
            self.filesystem.pipe_file(target, content)
            return
        final = Path(target)
        # Hidden: who reads a folder of tables does not read what a killed writer left there.
        aside = final.with_name(f".{final.name}{PARTIAL}{uuid4().hex}")
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(content)
            aside.replace(target)
        except OSError as error:
            if error.errno and not error.filename:  # a full disk names none
                error.filename = target
            raise
        finally:
            aside.unlink(missing_ok=True)

    def sizes(self, folder: str, *, before_copy: bool = False) -> dict[str, int]:
        """Bytes of every file below a folder, by path relative to it, sorted; empty if the folder is missing.

        Args:
            before_copy: the listing is kept for a copy that follows, which then asks about no file again.
        """
        self.filesystem.invalidate_cache()
        base = self.full(folder)
        find = self.filesystem.find if before_copy else partial(find_below, self.filesystem)
        found: Mapping[str, Any] = find(base, detail=True)
        return {name[len(base) :].lstrip("/"): int(found[name]["size"]) for name in sorted(found)}

    def names(self, folder: str) -> list[str]:
        """As `sizes`, the paths alone, which a local folder of thousands of files tells much sooner."""
        if not self.is_local:
            return list(self.sizes(folder))
        base = self.full(folder)
        paths = (f"{place}/{name}" for place, _, names in os.walk(base) for name in names)
        return sorted(path[len(base) + 1 :] for path in paths)

    def move(self, source: str, target: str) -> None:
        """Rename a local folder, which happens at once or not at all."""
        Path(self.full(source)).rename(self.full(target))

    def copy(self, source: str, target: str, names: Iterable[str]) -> None:
        """Copy files of a folder to another one; an object store copies by itself, not through this machine."""
        names = list(names)
        targets = [self.full(f"{target}/{name}") for name in names]
        if self.is_local:
            for path in targets:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.filesystem.copy([self.full(f"{source}/{name}") for name in names], targets)

    def delete(self, folder: str) -> None:
        """Remove a folder and everything in it; nothing happens if it is not there."""
        path = self.full(folder)
        if self.is_local or not (self.filesystem.async_impl or has_pattern(path)):
            if self.exists(folder):
                self.filesystem.rm(path, recursive=True)
            return
        files = [f"{path}/{name}" if name else path for name in self.sizes(folder)]
        if files and not any(map(has_pattern, files)):
            self.filesystem.rm(files)
            return
        for file in files:
            self.filesystem.rm_file(file)

    def zarr_group(self, path: str, mode: Any, attributes: Mapping[str, Any] | None = None) -> "zarr.Group":
        """A zarr v3 group at a path; `mode` as zarr's: `r` reads, `w` makes a new one, with attributes."""
        import zarr  # half a second, which commands that only look at tables and records save

        place, options = self._zarr_place(path)
        given = dict(attributes) if attributes else None
        return zarr.open_group(place, mode=mode, zarr_format=3, attributes=given, storage_options=options)

    def zarr_array(self, path: str) -> "zarr.Array":
        """A zarr v3 array at a path, to be read; its metadata are one file."""
        import zarr  # half a second, which commands that only look at tables and records save

        place, options = self._zarr_place(path)
        return zarr.open_array(place, mode="r", zarr_format=3, storage_options=options)

    def _zarr_place(self, path: str) -> tuple[Path | str, dict[str, int] | None]:
        """What zarr opens, and options of its file system."""
        return (Path(self.full(path)), None) if self.is_local else (self.location(path), options_of(self.url) or None)


def find_below(filesystem: fsspec.AbstractFileSystem, path: str, *, detail: bool) -> Mapping[str, Any]:
    """Details of all files below a path, or of the file there: one request where a file system lists by prefix.

    Such a one would else ask twice more whether an empty folder is a file.
    """
    parent, _, name = path.rpartition("/")
    if not parent or "prefix" not in signature(getattr(filesystem, "_find", filesystem.find)).parameters:
        return dict(filesystem.find(path, detail=detail))
    found = filesystem.find(parent, prefix=name, detail=detail)
    return {place: details for place, details in found.items() if place == path or place.startswith(f"{path}/")}


def has_pattern(path: str) -> bool:
    """Whether `rm` of fsspec would take a path for a pattern of several."""
    return any(sign in path for sign in "*?[")


def absolute(url: str) -> str:
    """A local path as any process can use it, today or later, whatever folder it runs in; another URL as it is."""
    return Store(url).location("") if Store(url).is_local else url


def _protocols(filesystem: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def require_store(url: str) -> Store:
    """The store at a path or URL, which need not exist yet.

    Raises:
        ValueError: if the path is empty, that of a file, or below one.
    """
    require_path("output", url)
    store = Store(url)
    for place in (store.full(""), *(nearest_existing(store) if store.is_local else ())):
        if store.filesystem.isfile(place):
            raise ValueError(
                f"output must be a folder, or the path of a new one, got {url}, where {place} is a file; "
                "give another --output"
            )
    return store


def require_writable(store: Store) -> None:
    """Refuse a local store in which nothing could be written; of object stores only writing tells.

    Raises:
        ValueError: naming the folder that cannot be written.
    """
    for place in nearest_existing(store) if store.is_local else ():
        if not os.access(place, os.W_OK | os.X_OK):
            raise ValueError(
                f"output must be a folder that can be written, got {store.url}, where {place} cannot; "
                "give another --output, or change its permissions"
            )


def begin_results(store: Store, *sources: str) -> None:
    """Prepare a store that results are written to: whoever looks for photographs leaves it out from now on.

    Args:
        store: which need not exist yet.
        sources: folders of photographs, which the store may lie in, but not be.

    Raises:
        ValueError: if it cannot be written, or is one of the folders of photographs.
    """
    for source in sources:
        require_apart(store, source)
    require_writable(store)
    if not store.exists(SIGN):
        store.write(SIGN, SIGN_TEXT)


def require_apart(store: Store, source: str) -> None:
    """Refuse a store that is itself a folder of photographs; it may lie in one.

    Raises:
        ValueError: naming the store.
    """
    places = [
        Path(place.full("")).resolve() if place.is_local else place.location("") for place in (store, Store(source))
    ]
    if places[0] == places[1]:
        raise ValueError(
            f"output must be a folder of its own, got {store.url}, in which the photographs lie; "
            f"give another --output, such as {store.url.rstrip('/')}/musc-results"
        )


def nearest_existing(store: Store) -> list[str]:
    """Of a local store's root and the folders above, the first that is there."""
    root = Path(store.full(""))
    return [str(place) for place in (root, *root.parents) if is_there(place)][:1]


def is_there(place: Path) -> bool:
    """Whether something is there; below a folder that may not be entered nothing is."""
    try:
        return place.exists()
    except PermissionError:
        return False


def require_path(name: str, url: str) -> None:
    """Refuse an empty path or URL, which would mean the working directory, and one that tables and records cannot hold.

    Raises:
        ValueError: naming the parameter that was empty or is no valid UTF-8.
    """
    if not url.strip():
        raise ValueError(f"{name} must be a path or URL, got {url!r}; write . for the working directory")
    if not is_utf8(absolute(url)):
        raise ValueError(f"{name} must have a path of valid UTF-8, got {absolute(url)!r}; {rename_advice()}")


def is_utf8(path: str) -> bool:
    """Whether a path consists of characters; Python keeps other bytes as lone surrogates."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def rename_advice() -> str:
    """What to do about a path that is no valid UTF-8: in some locales no name outside ASCII is seen as such."""
    encoding = sys.getfilesystemencoding()
    return "rename it" if encoding == "utf-8" else f"set LC_ALL=C.UTF-8, as the locale's encoding is {encoding}"
