"""Files that are only added, never changed: JSON objects, named by their time, so that the latest name counts."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from storage.errors import DamagedError, FormatVersionError
from storage.store import PARTIAL, Store

Value = TypeVar("Value")


def now() -> str:
    """The time by this machine's clock: UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def time_after(previous: str, time: str) -> str:
    """The time of a file that is to count instead of earlier ones, even if the clock was set back meanwhile.

    Args:
        previous: time of the latest of the earlier ones; empty where there is none.

    Returns:
        `time`, or just after `previous` where that is not earlier.

    >>> time_after("2026-11-22T04:05:06.000007+00:00", "2026-11-21T04:05:06.000007+00:00")
    '2026-11-22T04:05:06.000008+00:00'
    """
    if previous < time:
        return time
    return (datetime.fromisoformat(previous) + timedelta(microseconds=1)).isoformat(timespec="microseconds")


def add_dated(store: Store, folder: str, time: str, content: Mapping[str, object], version: int) -> str:
    """Write an object as a file of its own, whole or not at all, and return the file's path in the store.

    Args:
        time: UTC, ISO 8601 with microseconds; two files of one moment get different names.
        content: plain JSON values.
        version: of the format.
    """
    path = f"{folder}/{dated_name(time)}.json"
    store.write(path, json_line({"format_version": version, **content}))
    return path


def dated_files(store: Store, folder: str) -> list[str]:
    """Paths of the files that `add_dated` wrote into a folder, the latest last."""
    names = [name for name in store.sizes(folder) if name.endswith(".json") and PARTIAL not in name]
    return [f"{folder}/{name}" for name in sorted(names)]


def latest_dated(store: Store, folder: str) -> str:
    """Path of the latest of these files; empty where there is none."""
    return next(iter(dated_files(store, folder)[-1:]), "")


def read_dated(
    store: Store, path: str, version: int, value_of: Callable[[Mapping[str, Any]], Value], subject: str
) -> Value:
    """What `add_dated` wrote.

    Args:
        value_of: makes the value of the object's fields.
        subject: what the file holds, in the words of an error.

    Raises:
        FormatVersionError: if another release wrote the file.
        DamagedError: if it holds something else.
    """
    try:
        fields = json.loads(store.read(path))
        found = fields.pop("format_version", None)
        if found == version:
            return value_of(fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(
            f"{path} in {store.url} must hold {subject}, got something else ({error}); delete it, which brings back "
            "what was saved before"
        ) from None
    raise FormatVersionError(
        f"{path} in {store.url} must have format version {version}, got {found!r}; use the release that wrote it, or "
        "delete it, which brings back what was saved before"
    )


def add_dated_lines(
    store: Store, folder: str, time: str, contents: Sequence[Mapping[str, object]], suffix: str = ""
) -> str:
    """Write objects as the lines of one file, all of them or none: `.json` where it is one, else `.jsonl`.

    Args:
        suffix: ends the name; a random one unless it is given.
    """
    path = f"{folder}/{dated_name(time, suffix)}.{'json' if len(contents) == 1 else 'jsonl'}"
    store.write(path, b"".join(json_line(content) + b"\n" for content in contents))
    return path


def dated_name(time: str, suffix: str = "") -> str:
    """A name that sorts by time.

    >>> dated_name("2026-11-22T04:05:06.000007+00:00", "0a1b2c3d")
    '20261122T040506000007-0a1b2c3d'
    """
    moment = time.partition("+")[0].replace("-", "").replace(":", "").replace(".", "")
    return f"{moment}-{suffix or uuid4().hex[:8]}"


def json_line(content: Mapping[str, object]) -> bytes:
    """Plain JSON values in one line."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
