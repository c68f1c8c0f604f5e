"""Tables on disk: what comes back, and that equal tables are equal bytes."""

import pandas as pd
import pandas.testing
import pytest

from storage.store import Store
from storage.tables import read_table, write_table


@pytest.fixture
def table() -> pd.DataFrame:
    """A row per image, with the kinds of values that results hold."""
    return pd.DataFrame(
        {
            "path": ["good/größe 1.png", "", "b.png"],
            "score": [0.25, float("nan"), 1e-12],
            "rank": [1, 2, 3],
            "anomalous": [True, False, False],
        }
    )


def test_table_is_read_back(store: Store, table: pd.DataFrame) -> None:
    write_table(store, "runs/one/scores.parquet", table)
    pandas.testing.assert_frame_equal(read_table(store, "runs/one/scores.parquet"), table, check_exact=True)


def test_table_of_equal_rows_is_equal_bytes(local_store: Store, table: pd.DataFrame) -> None:
    write_table(local_store, "one", table)
    write_table(local_store, "two", table.copy(deep=True))
    assert local_store.read("one") == local_store.read("two")


def test_table_forgets_where_its_rows_came_from(local_store: Store, table: pd.DataFrame) -> None:
    """The index is no content: rows in the same order are the same table."""
    write_table(local_store, "one", table)
    write_table(local_store, "two", table.set_index(pd.Index([7, 5, 3])))
    assert local_store.read("one") == local_store.read("two")


def test_table_with_another_value_is_other_bytes(local_store: Store, table: pd.DataFrame) -> None:
    write_table(local_store, "one", table)
    write_table(local_store, "two", table.assign(rank=[1, 3, 2]))
    assert local_store.read("one") != local_store.read("two")


def test_table_without_rows_keeps_its_columns(local_store: Store, table: pd.DataFrame) -> None:
    write_table(local_store, "empty", table.iloc[:0])
    assert list(read_table(local_store, "empty").columns) == ["path", "score", "rank", "anomalous"]


def test_table_that_is_missing_is_refused(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(store, "missing.parquet")
