"""Tables on disk, as parquet."""

import io

import pandas as pd

from storage.store import Store

BENCHMARKS = "benchmarks"
"""The folder of a store that holds the tables of whole benchmarks."""
METRICS_TABLE = "metrics.parquet"


def write_table(store: Store, path: str, table: pd.DataFrame) -> None:
    """Write a table at once; the same table gives the same bytes."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    store.write(path, buffer.getvalue())


def read_table(store: Store, path: str) -> pd.DataFrame:
    """Read a table.

    Raises:
        FileNotFoundError: if there is none.
    """
    return pd.read_parquet(io.BytesIO(store.read(path)))
