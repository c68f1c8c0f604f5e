"""Cleaning: what of a store nobody needs any more, as a plan that can be shown before it is carried out.

| found | may be deleted |
|---|---|
| a draft (`.partial-…`) left by a killed writer | once it is old enough and no claim names its artefact |
| features, aggregated ones, patch scores, groups, listings | once old enough, with neither run nor claim naming them |
| a claim | once it is old enough and `CLAIM_DAYS` have passed |
| runs, metrics, benchmarks, and all that this release does not know | never |

A run that is kept needs its features no more, but the next one would: they are what takes the time. So what a kept run
was made from stays; delete the run's folder first to free it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.artefacts import MARKER, facts
from storage.claims import FOLDER as CLAIMS
from storage.claims import claimed_paths
from storage.errors import FormatVersionError, IncompleteError, UnknownReferencesError
from storage.features import AGGREGATED, FEATURES
from storage.groups import FOLDER as GROUPS
from storage.lots import FOLDER as LOTS
from storage.patch_scores import FOLDER as PATCH_SCORES
from storage.runs import FOLDER as RUNS
from storage.runs import RECORD
from storage.store import PARTIAL, Store

CLAIM_DAYS = 7.0
"""For so long a run that was cut off may be taken up again."""
MADE = (FEATURES, AGGREGATED, PATCH_SCORES, GROUPS, LOTS)
"""Folders of artefacts that can be made again, each named by its key."""
DRAFTED = (*MADE, RUNS, "metrics")
KEY = re.compile(r"[0-9a-f]{32}")
DRAFT = re.compile(re.escape(PARTIAL) + r"(?P<name>.+)-[0-9a-f]{32}(-damaged)?")
"""As `storage.artefacts.writing` names a draft."""


@dataclass(frozen=True)
class Leftover:
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


def leftovers(store: Store, *, older_than_days: float, now: datetime | None = None) -> list[Leftover]:
    """What may be deleted, largest first. Reads the whole listing of the store and every run's record; deletes nothing.

    Args:
        store: to look at.
        older_than_days: what was written later is left alone; 0 or more.
        now: the time by which age is told; the present unless given.

    Raises:
        ValueError: if the age is negative.
        UnknownReferencesError: if the record of a run does not say what the run was made from.
    """
    if not older_than_days >= 0:
        raise ValueError(f"older_than must be 0 days or more, got {older_than_days}; 7 keeps a week's work")
    now = now or datetime.now(UTC)
    found = grouped(stored_files(store))
    live, stale = judged_claims(store, found, now - timedelta(days=max(older_than_days, CLAIM_DAYS)))
    kept = live | referenced(store, found)
    kept |= {path for path in found if path.startswith(f"{AGGREGATED}/") and source_of(store, path) in kept}
    unused = [found[path] for path in found if path not in kept and is_spare(store, found[path], live)]
    oldest = now - timedelta(days=older_than_days)
    due = [leftover for leftover in (*unused, *stale) if leftover.modified < oldest]
    return sorted(due, key=lambda leftover: (-leftover.size_bytes, leftover.path))


def delete(store: Store, planned: Sequence[Leftover]) -> None:
    """Delete what `leftovers` found. The marker of an artefact goes first, so that none is ever half there."""
    for leftover in planned:
        if leftover.kind not in ("draft", "claim"):
            store.delete(f"{leftover.path}/{MARKER}")
        store.delete(leftover.path)


def stored_files(store: Store) -> list[StoredFile]:
    """Every file of a store with its age."""
    store.filesystem.invalidate_cache()
    base = store.full("")
    found: Mapping[str, Any] = store.filesystem.find(base, detail=True)
    return [StoredFile(name[len(base) :].lstrip("/"), int(of["size"]), modified(of)) for name, of in found.items()]


def modified(details: Mapping[str, Any]) -> datetime:
    """When a file was written, as each kind of file system says it: local disks, object stores, memory."""
    moment = next((details[name] for name in ("mtime", "LastModified", "created") if name in details), None)
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(moment, UTC) if moment is not None else datetime.now(UTC)


def grouped(files: Iterable[StoredFile]) -> dict[str, Leftover]:
    """Files put together as artefacts, drafts and claims, by the first two parts of each path."""
    found: dict[str, Leftover] = {}
    for file in files:
        parts = file.path.split("/")
        if len(parts) < 2 or (len(parts) == 2 and parts[0] != CLAIMS):
            continue  # a lone file is no artefact
        path = "/".join(parts[:2])
        kind = "draft" if parts[1].startswith(PARTIAL) else "claim" if parts[0] == CLAIMS else parts[0]
        known = found.get(path, Leftover(path, kind, 0, file.modified))
        found[path] = Leftover(path, kind, known.size_bytes + file.size_bytes, max(known.modified, file.modified))
    return found


def judged_claims(store: Store, found: Mapping[str, Leftover], oldest: datetime) -> tuple[set[str], list[Leftover]]:
    """The artefacts that claims name, and the claims that are too old to count."""
    live: set[str] = set()
    stale = []
    for claim in (leftover for leftover in found.values() if leftover.kind == "claim"):
        try:
            paths = claimed_paths(store.read(claim.path))
        except (ValueError, FileNotFoundError):  # not ours, or its run has just ended
            continue
        if claim.modified < oldest:
            stale.append(claim)
        else:
            live.update(paths)
    return live, stale


def referenced(store: Store, found: Mapping[str, Leftover]) -> set[str]:
    """The artefacts that the runs of a store were made from.

    Raises:
        UnknownReferencesError: naming every run whose record does not say it.
    """
    used: set[str] = set()
    unknown = []
    for run in (leftover for leftover in found.values() if leftover.kind == RUNS):
        try:
            keys = json.loads(store.read(f"{run.path}/{RECORD}"))["keys"]
            used |= {f"{LOTS}/{keys['listing']}", *map(str, keys["features"]), *map(str, keys["patch_scores"])}
            used |= set(map(str, keys.get("groups", [])))  # older runs have none
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


def is_spare(store: Store, leftover: Leftover, live: set[str]) -> bool:
    """Whether something no run uses is of a kind this release has made and can make again."""
    folder, _, name = leftover.path.partition("/")
    if leftover.kind == "draft":
        draft = DRAFT.fullmatch(name)
        return folder in DRAFTED and draft is not None and f"{folder}/{draft['name']}" not in live
    if folder not in MADE or not KEY.fullmatch(name):
        return False
    try:
        facts(store, leftover.path)
    except FormatVersionError:  # another release may need it
        return False
    except IncompleteError:  # it would be made again anyway
        return True
    return True
