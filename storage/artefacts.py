"""Artefacts: folders that are either complete or not there.

An artefact is found by a digest of what it was made from. Its marker, `complete.json`, is written last and lists every
file with its size, so that a killed writer, a lost chunk and a truncated file all read as *not complete*, and the
artefact is made again. The folder is built aside and then put in place: renamed on a local disk; on an object store,
which cannot rename, copied there before the marker, so that writers of one artefact never delete each other's files.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

from storage.errors import FormatVersionError, IncompleteError
from storage.store import PARTIAL, Store

log = logging.getLogger(__name__)

MARKER = "complete.json"
FORMAT_VERSION = 2


def digest(specification: Mapping[str, object]) -> str:
    """A key for anything made from plain JSON values: equal values, equal key. 32 hexadecimal digits of SHA-256."""
    canonical = json.dumps(specification, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


@dataclass
class StagingFolder:
    """An artefact being written: a folder to fill and facts to remember in its marker."""

    store: Store
    path: str
    facts: dict[str, object] = field(default_factory=dict)


_remembered: dict[tuple[str, str], "_Marker"] = {}
_rememberers: list[object] = []


@contextmanager
def remembering_complete() -> Iterator[None]:
    """While the `with` block lasts, what this process once found complete counts as complete, without a look at it.

    For the time of one lot: what a run reads is named by its lease and deleted by nobody, and a store far away gets
    two requests for each look.
    """
    own = object()
    _rememberers.append(own)
    try:
        yield
    finally:
        _rememberers.remove(own)
        if not _rememberers:
            _remembered.clear()


@contextmanager
def writing(store: Store, path: str) -> Iterator[StagingFolder]:
    """Build an artefact; it is complete if the `with` block ends without an error, else absent.

    Two writers of one artefact do no harm: they write equal content, and the first to finish is kept.
    """
    parent, slash, name = path.rpartition("/")
    staging = StagingFolder(store, f"{parent}{slash}{PARTIAL}{name}-{uuid4().hex}")
    try:
        yield staging
        files = _files(store, staging.path, before_copy=True)
        marker = {"format_version": FORMAT_VERSION, "facts": staging.facts, "files": files}
        content = json.dumps(marker, sort_keys=True).encode()
        if is_complete(store, path):
            log.debug("%s was completed by another writer meanwhile; this copy is dropped", path)
        elif store.is_local:
            store.write(f"{staging.path}/{MARKER}", content)
            _rename_into_place(store, staging.path, path)
        else:
            store.copy(staging.path, path, files)
            store.write(f"{path}/{MARKER}", content)
        if _rememberers:
            _remembered[store.url, path] = _Marker(staging.facts, files)
    except BaseException:
        log.debug("the staging folder %s is dropped", staging.path)
        raise
    finally:
        store.delete(staging.path)


def is_complete(store: Store, path: str) -> bool:
    """Whether the marker is there and so is every file it lists, with its size.

    Raises:
        FormatVersionError: if another release wrote it with another layout.
    """
    try:
        return (store.url, path) in _remembered or not _missing(store, path)
    except IncompleteError:
        return False


def make_incomplete(store: Store, path: str) -> None:
    """Take away the marker of an artefact, so that it is made again; its files stay until then."""
    _remembered.pop((store.url, path), None)
    store.delete(f"{path}/{MARKER}")


def facts(store: Store, path: str) -> dict[str, object]:
    """What the writer of a complete artefact noted in its marker.

    Raises:
        IncompleteError: if the marker is missing or unreadable.
        FormatVersionError: if another release wrote it with another layout.
    """
    return dict((_remembered.get((store.url, path)) or _marker(store, path)).facts)


def require_complete(store: Store, paths: Sequence[str]) -> None:
    """Refuse to go on unless every artefact is complete.

    Raises:
        IncompleteError: naming every file that is missing or has another size, in one message.
    """
    problems = []
    for path in paths:
        try:
            problems += [] if (store.url, path) in _remembered else [f"{path}/{name}" for name in _missing(store, path)]
        except IncompleteError:
            problems.append(f"{path}/{MARKER}")
    if problems:
        lacking = "1 file is" if len(problems) == 1 else f"{len(problems):,} files are"
        raise IncompleteError(
            f"the store {store.url} must hold all that was stored, but {lacking} missing or cut short: "
            f"{', '.join(problems)}; run the same command again to make them anew"
        )


@dataclass(frozen=True)
class _Marker:
    facts: Mapping[str, object]
    files: Mapping[str, int]
    """Size of each, by path."""


def _marker(store: Store, path: str) -> _Marker:
    try:
        marker = json.loads(store.read(f"{path}/{MARKER}"))
    except (FileNotFoundError, ValueError) as error:
        raise IncompleteError(f"{path} in {store.url} is not complete: its {MARKER} is missing or damaged") from error
    if not isinstance(marker, dict) or "format_version" not in marker:
        raise IncompleteError(f"{path} in {store.url} is not complete: its {MARKER} is damaged")
    if marker["format_version"] != FORMAT_VERSION:
        raise FormatVersionError(
            f"{path} in {store.url} must have format version {FORMAT_VERSION}, got {marker['format_version']}; "
            "use another --output folder, or the release that wrote it"
        )
    return _Marker(marker["facts"], marker["files"])


def _missing(store: Store, path: str) -> list[str]:
    """Files the marker lists that are not there with their size."""
    marker, found = _marker(store, path), _files(store, path)
    missing = [name for name, size in marker.files.items() if found.get(name) != size]
    if _rememberers and not missing:
        _remembered[store.url, path] = marker
    return missing


def _files(store: Store, path: str, *, before_copy: bool = False) -> dict[str, int]:
    sizes = store.sizes(path, before_copy=before_copy)
    return {name: size for name, size in sizes.items() if name != MARKER and PARTIAL not in name}


def _rename_into_place(store: Store, staging: str, path: str) -> None:
    try:
        store.move(staging, path)
    except OSError:  # another writer has just finished it, or a damaged artefact lies there
        if not is_complete(store, path):
            _replace(store, staging, path)


def _replace(store: Store, staging: str, path: str) -> None:
    log.info("%s is damaged or not complete; it is made again", path)
    damaged = f"{staging}-damaged"
    try:
        with suppress(FileNotFoundError):
            store.move(path, damaged)
        store.move(staging, path)
    except OSError:
        if not is_complete(store, path):
            raise
    finally:
        store.delete(damaged)
