"""Files that are only added, never changed: one JSON object each, named by its time, so that the latest name counts."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from storage.store import Store


def now() -> str:
    """The time by this machine's clock: UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def time_after(previous: str, time: str) -> str:
    """The time of a file that is to count instead of earlier ones, even if the clock was set back meanwhile.

    Args:
        previous: time of the latest of the earlier ones; empty where there is none.

    Returns:
        `time`, or just after `known` where that is not earlier.

    >>> time_after("2026-11-22T04:05:06.000007+00:00", "2026-11-21T04:05:06.000007+00:00")
    '2026-11-22T04:05:06.000008+00:00'
    """
    if previous < time:
        return time
    return (datetime.fromisoformat(previous) + timedelta(microseconds=1)).isoformat(timespec="microseconds")


def add_dated(store: Store, folder: str, time: str, content: dict[str, object]) -> str:
    """Write an object as a file of its own, whole or not at all, and return the file's path in the store.

    Args:
        time: UTC, ISO 8601 with microseconds; two files of one moment get different names.
        content: plain JSON values.
    """
    moment = time.partition("+")[0].replace("-", "").replace(":", "").replace(".", "")
    path = f"{folder}/{moment}-{uuid4().hex[:8]}.json"
    store.write(path, json.dumps(content, ensure_ascii=False, allow_nan=False).encode())
    return path
