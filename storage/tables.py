"""Tables on disk, as parquet. pandas is imported where a whole table is read; the head of one is read without."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

BENCHMARKS = "benchmarks"
"""The folder of a store that holds the tables of whole benchmarks."""
METRICS_TABLE = "metrics.parquet"


def write_table(store: Store, path: str, table: "pd.DataFrame") -> None:
    """Write a table at once; the same table gives the same bytes."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    store.write(path, buffer.getvalue())


def read_table(store: Store, path: str) -> "pd.DataFrame":
    """Read a table.

    Raises:
        FileNotFoundError: if there is none.
    """
    import pandas as pd

    return pd.read_parquet(io.BytesIO(store.read(path)))


def first_rows(
    store: Store, path: str, columns: Sequence[str], count: int | None = None
) -> tuple[int, list[tuple[Any, ...]]]:
    """How many rows a table has, and values of these columns in the first `count` of them; in all unless that is given.

    Raises:
        FileNotFoundError: if there is no such table.
    """
    from pyarrow.parquet import ParquetFile

    table = ParquetFile(io.BytesIO(store.read(path)))
    head = table.read(columns=list(columns)).slice(0, count)
    return table.metadata.num_rows, list(zip(*(head.column(name).to_pylist() for name in columns), strict=True))
