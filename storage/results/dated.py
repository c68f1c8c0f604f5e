"""Files that are only added, never changed: one JSON object each, named by its time, so that the latest name counts."""

import json
from uuid import uuid4

from storage.store import Store


def add_dated(store: Store, folder: str, time: str, content: dict[str, object]) -> str:
    """Write an object as a file of its own, whole or not at all, and return the file's path in the store.

    Args:
        store: where.
        folder: of the store.
        time: UTC, ISO 8601 with microseconds; two files of one moment get different names.
        content: plain JSON values.
    """
    moment = time.partition("+")[0].replace("-", "").replace(":", "").replace(".", "")
    path = f"{folder}/{moment}-{uuid4().hex[:8]}.json"
    store.write(path, json.dumps(content, ensure_ascii=False, allow_nan=False).encode())
    return path
