"""Arrivals: photographs scored one by one as they come, as a table that only grows.

Each photograph is one small file of its own, `scores/<id>.parquet`, put in place whole and named by its path and
content: writing it again changes nothing, so that a kill loses nothing and doubles nothing. All files have one schema,
whatever they hold, so that readers of folders of Parquet files (pandas, polars, duckdb, pyarrow) read the folder.
"""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypedDict, cast, get_type_hints

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from storage.artefacts import digest
from storage.store import PARTIAL, Store

FOLDER = "watch"
ROWS, NOTIFIED = "scores", "notified"
READERS = 8


class Thresholds(TypedDict):
    """From which raw scores on photographs are listed."""

    threshold: float | None
    """Raw score from which on they are flagged; None if nothing decides one."""
    suspect_threshold: float | None
    """Raw score from which on they are suspect."""


class Arrival(Thresholds):
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
    """`flagged`, `suspect` or `accepted`; empty for a file that could not be scored."""
    p_value: float | None
    """How often a good part scores as high; None where the references are too few to say."""
    peak_x: int
    """Of the anomaly map's peak, in pixels; -1 for a file that could not be scored."""
    peak_y: int
    width: int
    height: int
    size: int
    """Of the file, in bytes."""
    modified_ns: int
    """When its content was changed last, nanoseconds since 1970, as the file system has it."""
    changed_ns: int
    """When its content, name or rights were changed last."""
    seconds: float
    """From when the file was whole to its row."""


_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), float | None: pa.float64()}
SCHEMA = pa.schema([(name, _TYPES[kind]) for name, kind in get_type_hints(Arrival).items()])
"""Of every file of the table, also where a row has no score."""


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
        pq.write_table(pa.Table.from_pylist([dict(row)], schema=SCHEMA), buffer)
        self.store.write(f"{self.path}/{ROWS}/{name}.parquet", buffer.getvalue())

    def names(self) -> set[str]:
        """Of all rows."""
        sizes = self.store.sizes(f"{self.path}/{ROWS}")
        return {name.removesuffix(".parquet") for name in sizes if name.endswith(".parquet") and PARTIAL not in name}

    def rows(self) -> list[Arrival]:
        """All rows, the earliest first."""
        return cast("list[Arrival]", self._read().to_pylist())

    def table(self) -> pd.DataFrame:
        """All rows, the earliest first, as a table; without rows if there are none."""
        return self._read().to_pandas()

    def _read(self) -> pa.Table:
        paths = [f"{self.path}/{ROWS}/{name}.parquet" for name in sorted(self.names())]
        with ThreadPoolExecutor(READERS) as readers:
            parts = list(
                readers.map(lambda path: pq.read_table(io.BytesIO(self.store.read(path)), schema=SCHEMA), paths)
            )
        return pa.concat_tables([SCHEMA.empty_table(), *parts]).sort_by("time")

    def mark_notified(self, name: str) -> None:
        """Remember that notifications of a row were sent."""
        self.store.write(f"{self.path}/{NOTIFIED}/{name}", b"")

    def notified(self) -> set[str]:
        """Names of the rows whose notifications were sent."""
        return {name for name in self.store.sizes(f"{self.path}/{NOTIFIED}") if PARTIAL not in name}
