"""Prune: find unused artefacts of a store, as a plan that can be shown before it deletes them.

| found | may be deleted |
|---|---|
| a staging folder (`.partial-…`) of a killed writer | once a day old at least, and no lease names its artefact |
| features, aggregated ones, patch scores, groups, listings | once old enough, with neither run nor lease naming them |
| a lease | once it is old enough and `LEASE_DAYS` have passed |
| runs, metrics, benchmarks, and all that this release does not know | never |

A run that is kept needs its features no more, but the next one would: they are what takes the time. So what a kept run
was made from stays; delete the run's folder first to free it.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time_ns
from typing import Any

from storage.artefacts import facts, make_incomplete
from storage.errors import FormatVersionError, IncompleteError, UnknownReferencesError
from storage.images.lots import FOLDER as LOTS
from storage.leases import FOLDER as LEASES
from storage.leases import leased_paths
from storage.results.features import AGGREGATED, FEATURES
from storage.results.groups import FOLDER as GROUPS
from storage.results.patch_scores import FOLDER as PATCH_SCORES
from storage.results.profiles import FOLDER as PROFILES
from storage.results.regions_of_interest import FOLDER as REGIONS
from storage.results.runs import FOLDER as RUNS
from storage.results.runs import RECORD
from storage.store import PARTIAL, TIMES, Store

log = logging.getLogger(__name__)

LEASE_DAYS = 7.0
"""For so long a run that was cut off may be taken up again."""
STAGING_DAYS = 1.0
"""A younger staging folder may be a page or maps that are being written, which no lease protects."""
MADE = (FEATURES, AGGREGATED, PATCH_SCORES, GROUPS, LOTS, REGIONS)
"""Folders of artefacts that can be made again, each named by its key."""
STAGED = (*MADE, RUNS, PROFILES, "metrics")
LONGEST_DAYS = 36_500.0
TICK_NS = 50_000_000
"""Two changes of a folder within a tick of the file system's clock have one time."""
KEY = re.compile(r"[0-9a-f]{32}")
STAGING = re.compile(re.escape(PARTIAL) + r"(?P<name>.+)-[0-9a-f]{32}(-damaged)?")
"""As `storage.artefacts.writing` names a staging folder."""


@dataclass(frozen=True)
class Prunable:
    """Something that may be deleted."""

    path: str
    """Of a folder or file in the store."""
    kind: str
    size_bytes: int
    modified: datetime
    """When its newest file was written."""


@dataclass(frozen=True)
class StoredFile:
    """One file of a store."""

    path: str
    size_bytes: int
    modified: datetime


def find_prunable(store: Store, *, older_than_days: float, now: datetime | None = None) -> list[Prunable]:
    """What may be deleted, largest first. Reads the whole listing of the store and every run's record; deletes nothing.

    Args:
        older_than_days: what was written later is left alone; 0 to 36,500, a hundred years.
        now: the time by which age is told; the present unless given.

    Raises:
        ValueError: if the age is out of range.
        UnknownReferencesError: if the record of a run does not say what the run was made from.
    """
    if not 0 <= older_than_days <= LONGEST_DAYS:
        raise ValueError(
            f"older_than must be 0 to {LONGEST_DAYS:.0f} days, got {older_than_days}; 7 keeps a week's work"
        )
    now = now or datetime.now(UTC)
    found = group_files(stored_files(store))
    leases = {path: lease_at(store, path) for path, prunable in found.items() if prunable.kind == "lease"}
    leases_end = now - timedelta(days=max(older_than_days, LEASE_DAYS))
    stale = [found[path] for path, named in leases.items() if named is not None and found[path].modified < leases_end]
    ended = {prunable.path for prunable in stale}
    live = {path for lease, named in leases.items() if lease not in ended for path in named or ()}
    kept = live | find_referenced(store, found)
    kept |= {path for path in found if path.startswith(f"{AGGREGATED}/") and source_of(store, path) in kept}
    unused = [found[path] for path in found if path not in kept and is_spare(store, found[path], live)]
    oldest = now - timedelta(days=older_than_days)
    staging_end = min(oldest, now - timedelta(days=STAGING_DAYS))
    due = [one for one in (*unused, *stale) if one.modified < (staging_end if one.kind == "staging" else oldest)]
    return sorted(due, key=lambda prunable: (-prunable.size_bytes, prunable.path))


def delete(store: Store, planned: Sequence[Prunable]) -> None:
    """Delete what `find_prunable` found, except what a run has leased since.

    The marker of an artefact goes first, so that none is ever half there.
    """
    leases = LiveLeases(store, [prunable for prunable in planned if prunable.kind == "lease"])
    for prunable in planned:
        if leases.protect(prunable):
            log.info("%s is kept: a run has leased it since", prunable.path)
            continue
        if prunable.kind not in ("staging", "lease"):
            make_incomplete(store, prunable.path)
        log.info("%s deleted, %d bytes", prunable.path, prunable.size_bytes)
        store.delete(prunable.path)


class LiveLeases:
    """The leases of a store while it is cleaned: read again only when some were written or removed."""

    def __init__(self, store: Store, stale: Sequence[Prunable]) -> None:
        """Of a store; a stale lease protects nothing unless a run writes it again."""
        self.store = store
        self.stale = {prunable.path: prunable.modified for prunable in stale}
        self.read: dict[StoredFile, list[str]] = {}
        self.leased: set[str] = set()
        self.looked_at: int | None = None
        """Time of the folder when it was looked at; None where that cannot tell of a later change."""

    def protect(self, prunable: Prunable) -> bool:
        """Whether a run has leased it since it was planned, or has written the lease again that it is."""
        if prunable.kind == "lease":
            found = stored_files(self.store, prunable.path)
            return any(file.modified != prunable.modified for file in found)
        time = folder_time(self.store, LEASES)
        if time is None or time != self.looked_at:
            self.look()
            self.looked_at = None if time is None or time_ns() - time < TICK_NS else time
        return artefact_of(prunable) in self.leased

    def look(self) -> None:
        """Read the leases that are new."""
        live = [file for file in stored_files(self.store, LEASES) if self.stale.get(file.path) != file.modified]
        self.read = {file: self.read.get(file) or lease_at(self.store, file.path) or [] for file in live}
        self.leased = {path for paths in self.read.values() for path in paths}


def folder_time(store: Store, folder: str) -> int | None:
    """When something was last put into a local folder or taken out of it, in ns, 0 if there is none; else None."""
    if not store.is_local:
        return None
    try:
        return Path(store.full(folder)).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def stored_files(store: Store, folder: str = "") -> list[StoredFile]:
    """Every file below a folder of a store with its age; none if there is no such folder."""
    store.filesystem.invalidate_cache()
    base = store.full("")
    found: Mapping[str, Any] = store.filesystem.find(store.full(folder), detail=True)
    return [
        StoredFile(name[len(base) :].lstrip("/"), int(of["size"]), modification_time(of)) for name, of in found.items()
    ]


def modification_time(details: Mapping[str, Any]) -> datetime:
    """When a file was written, as each kind of file system says it: local disks, object stores, memory."""
    moment = next((details[name] for name in TIMES if details.get(name) is not None), None)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(moment, UTC) if moment is not None else datetime.now(UTC)


def group_files(files: Iterable[StoredFile]) -> dict[str, Prunable]:
    """Files as artefacts and leases, put together by the first two parts of each path; and staging folders."""
    found: dict[str, Prunable] = {}
    for file in files:
        parts = file.path.split("/")
        if len(parts) < 2 or (len(parts) == 2 and parts[0] != LEASES):
            continue  # a lone file is no artefact
        staging = next((place for place in range(1, len(parts)) if parts[place].startswith(PARTIAL)), None)
        path = "/".join(parts[: 2 if staging is None else staging + 1])
        kind = "staging" if staging is not None else "lease" if parts[0] == LEASES else parts[0]
        known = found.get(path, Prunable(path, kind, 0, file.modified))
        found[path] = Prunable(path, kind, known.size_bytes + file.size_bytes, max(known.modified, file.modified))
    return found


def lease_at(store: Store, path: str) -> list[str] | None:
    """The artefacts that a lease names; None if the file is no lease, or gone as its run has just ended."""
    try:
        return leased_paths(store.read(path))
    except FileNotFoundError:
        return None
    except ValueError as error:
        log.warning("%s is no lease and protects nothing: %s", path, error)
        return None


def artefact_of(prunable: Prunable) -> str:
    """The path under which a lease would name it."""
    folder, _, name = prunable.path.rpartition("/")
    staging = STAGING.fullmatch(name)
    return f"{folder}/{staging['name']}" if staging else prunable.path


def find_referenced(store: Store, found: Mapping[str, Prunable]) -> set[str]:
    """The artefacts that the runs of a store were made from.

    Raises:
        UnknownReferencesError: naming every run whose record does not say it.
    """
    used: set[str] = set()
    unknown = []
    for run in (prunable for prunable in found.values() if prunable.kind == RUNS):
        try:
            keys = json.loads(store.read(f"{run.path}/{RECORD}"))["keys"]
            used |= {f"{LOTS}/{keys['listing']}", *map(str, keys["features"]), *map(str, keys["patch_scores"])}
            used |= {str(path) for name in ("groups", "good", "regions") for path in keys.get(name, [])}  # or none
            used |= {str(path) for blocks in keys.get("smaller_features", []) for path in blocks}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            unknown.append(run.path)
    if unknown:
        raise UnknownReferencesError(
            f"every run must say in its {RECORD} what it was made from, but {', '.join(unknown)} in {store.url} "
            "do not; score them again, or delete these folders by hand"
        )
    return used


def source_of(store: Store, aggregated: str) -> str | None:
    """The block from which aggregated features were made; None if they do not say it."""
    try:
        attributes = json.loads(store.read(f"{aggregated}/zarr.json"))["attributes"]
        return str(attributes["features"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def is_spare(store: Store, prunable: Prunable, live: set[str]) -> bool:
    """Whether something no run uses is of a kind this release has made and can make again."""
    folder, _, name = prunable.path.partition("/")
    if prunable.kind == "staging":
        artefact = artefact_of(prunable)
        return folder in STAGED and artefact != prunable.path and artefact not in live
    if folder not in MADE or not KEY.fullmatch(name):
        return False
    try:
        facts(store, prunable.path)
    except FormatVersionError:  # another release may need it
        return False
    except IncompleteError:  # it would be made again anyway
        return True
    return True
