"""Arrivals: photographs scored one by one as they come, as a table that only grows.

Each photograph is one small file of its own, `scores/<id>.parquet`, put in place whole and named by its path and
content: writing it again changes nothing, so that a kill loses nothing and doubles nothing. `pandas.read_parquet` reads
the folder.
"""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypedDict

import pandas as pd

from storage.artefacts import digest
from storage.store import PARTIAL, Store

FOLDER = "watch"
ROWS, TOLD = "scores", "told"
READERS = 8


class Arrival(TypedDict):
    """One photograph: a row of the table, and the JSON that webhooks get."""

    time: str
    """When it was scored: UTC, ISO 8601."""
    category: str
    path: str
    """Relative to the watched folder."""
    sha256: str
    status: str
    reason: str
    """Why it was not scored; empty if it was."""
    raw_score: float | None
    """None for a file that could not be scored."""
    decision: str
    """`flagged` or `accepted`; empty for a file that could not be scored."""
    threshold: float | None
    peak_x: int
    """Of the anomaly map's peak, in pixels; -1 for a file that could not be scored."""
    peak_y: int
    width: int
    height: int
    size: int
    """Of the file, in bytes."""
    modified_ns: int
    seconds: float
    """From when the file was whole to its row."""


def arrival_id(path: str, sha256: str) -> str:
    """The name of a photograph: the same for the same content at the same place."""
    return digest({"path": path, "sha256": sha256})


@dataclass(frozen=True)
class Arrivals:
    """The table of one watched folder."""

    store: Store
    path: str
    """In the store."""

    def add(self, name: str, row: Arrival) -> None:
        """Keep one row; one of the same name is replaced."""
        buffer = io.BytesIO()
        pd.DataFrame([row]).to_parquet(buffer, index=False)
        self.store.write(f"{self.path}/{ROWS}/{name}.parquet", buffer.getvalue())

    def names(self) -> set[str]:
        """Of all rows."""
        found = self.store.sizes(f"{self.path}/{ROWS}")
        return {name.removesuffix(".parquet") for name in found if name.endswith(".parquet") and PARTIAL not in name}

    def table(self) -> pd.DataFrame:
        """All rows, the earliest first; empty if there are none."""
        paths = [f"{self.path}/{ROWS}/{name}.parquet" for name in sorted(self.names())]
        with ThreadPoolExecutor(READERS) as readers:
            parts = list(readers.map(lambda path: pd.read_parquet(io.BytesIO(self.store.read(path))), paths))
        return pd.concat(parts).sort_values("time", kind="stable", ignore_index=True) if parts else pd.DataFrame()

    def mark_told(self, name: str) -> None:
        """Remember that notifications of a row were sent."""
        self.store.write(f"{self.path}/{TOLD}/{name}", b"")

    def told(self) -> set[str]:
        """Names of the rows whose notifications were sent."""
        return {name for name in self.store.sizes(f"{self.path}/{TOLD}") if PARTIAL not in name}
