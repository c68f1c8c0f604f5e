"""Fingerprints of lots, by which a finished result is found without reading an image.

A lot's **fingerprint** covers the path, size and times (on object stores also the ETag) of every file below its
folder: whatever is added, removed or written changes it. A **mark** says which run came out for a fingerprint and
settings. Marks are only a short cut: one that is lost, or whose run is gone, costs a look at the lot's files, and work
that is finished is never done twice.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.artefacts import digest, is_complete
from storage.images.listing import has_image_name, paths_below, require_folder, visible_paths
from storage.store import TIMES, Store

log = logging.getLogger(__name__)

FOLDER = "fingerprints"
SIGNS_OF_CHANGE = ("ETag", "etag", "md5Hash", *TIMES)
"""What fsspec's file systems tell about a file's content or its time, by their various names."""


@dataclass(frozen=True)
class Fingerprint:
    """What a lot's folder looks like from outside."""

    digest: str | None
    """None where the file system tells neither times nor digests, so that nothing can be concluded."""
    image_count: int
    """Files that are named like images and not empty."""
    file_count: int


@dataclass(frozen=True)
class KnownResult:
    """What came out of a lot."""

    run: str | None
    """Path of the run in the store; None if the lot could not be scored."""
    reason: str = ""
    """Why it could not."""
    images: int = 0
    """Scored."""
    flagged: int = 0
    suspect: int = 0
    left_out: str = ""
    """How many files were not scored, by status; empty if all were."""
    page: str = ""
    """Path of the page in the store; empty where there is none."""
    files: dict[str, str] = field(default_factory=dict)
    """Names of the maps and exports that were made, with what else decides their content."""


def fingerprint(url: str) -> Fingerprint:
    """Look at the names, sizes and times of all files below a folder; opens none.

    Raises:
        NoImagesError: if there is no such folder.
    """
    folder = require_folder(url)
    signs = _local_signs(folder) if folder.is_local else _remote_signs(folder)
    images = [path for path, (size, *_) in signs.items() if size and has_image_name(path)]
    tells = all(len(sign) > 1 for sign in signs.values())
    key = digest({"folder": folder.location(""), "files": sorted(signs.items())}) if tells else None
    return Fingerprint(key, len(images), len(signs))


def write_result(store: Store, key: str, mark: KnownResult) -> None:
    """Remember what came out under a key made of a fingerprint and settings."""
    store.write(result_path(key), json.dumps(mark.__dict__, ensure_ascii=False).encode())


def read_result(store: Store, key: str) -> KnownResult | None:
    """What came out, if it still holds: None if there is no mark, or its run is not complete any more.

    Raises:
        FormatVersionError: if another release wrote the run with another layout.
    """
    try:
        mark = KnownResult(**json.loads(store.read(result_path(key))))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        log.warning("the fingerprint %s cannot be read and is ignored: %s", result_path(key), error)
        return None
    if mark.run is None or is_complete(store, mark.run):
        return mark
    log.info("the fingerprint %s is ignored: its run %s is no longer complete", result_path(key), mark.run)
    return None


def result_path(key: str) -> str:
    """Where the mark with this key lies in any store."""
    return f"{FOLDER}/{key}.json"


def _local_signs(folder: Store) -> dict[str, list[Any]]:
    """Size and times of every file, links followed. The time of the last change of a file's entry cannot be set back,
    unlike that of its content."""
    signs: dict[str, list[Any]] = {}
    for path in paths_below(folder):
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        try:
            status = Path(folder.full(path)).stat()
            signs[name] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        except OSError as error:
            signs[name] = [0, type(error).__name__]
    return signs


def _remote_signs(folder: Store) -> dict[str, list[Any]]:
    """Size, and whatever the file system tells of a file's content or time."""
    folder.filesystem.invalidate_cache()
    base = folder.full("")
    details: Mapping[str, Mapping[str, Any]] = folder.filesystem.find(base, detail=True)
    paths = {name[len(base) :].lstrip("/"): detail for name, detail in details.items()}
    shown = ((path, paths[path]) for path in visible_paths(filter(None, paths)))
    return {
        path: [int(detail["size"] or 0), *(str(detail[sign]) for sign in SIGNS_OF_CHANGE if sign in detail)]
        for path, detail in shown
    }
