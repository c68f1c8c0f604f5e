"""The table of a watched folder: one schema, whatever its files hold."""

from itertools import permutations
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from storage.results.arrivals import SCHEMA, Arrival, Arrivals
from storage.store import Store
from tests.tasks.watching.rows import scored_row, unscored_row

ORDERS = list(permutations([scored_row(), unscored_row()]))


def kept(folder: Path, rows: tuple[Arrival, ...]) -> Arrivals:
    arrivals = Arrivals(Store(str(folder)), "watch/cap")
    for number, row in enumerate(rows):  # names decide which file readers open first
        arrivals.add(str(number), row)
    return arrivals


@pytest.mark.parametrize("rows", ORDERS, ids=["scored first", "unscored first"])
def test_arrivals_are_read_as_one_folder(tmp_path: Path, rows: tuple[Arrival, ...]) -> None:
    kept(tmp_path, rows)
    parts = tmp_path / "watch/cap/scores"
    expected = sorted(row["path"] for row in rows)
    assert sorted(pd.read_parquet(parts)["path"]) == expected
    assert sorted(ds.dataset(parts).to_table()["path"].to_pylist()) == expected
    concatenated = pd.concat(pd.read_parquet(file) for file in sorted(parts.iterdir()))
    assert concatenated["raw_score"].dtype == "float64"


@pytest.mark.parametrize("row", [scored_row(), unscored_row()], ids=["scored", "unscored"])
def test_arrivals_have_one_schema(tmp_path: Path, row: Arrival) -> None:
    kept(tmp_path, (row,))
    (file,) = (tmp_path / "watch/cap/scores").iterdir()
    assert pq.read_schema(file).equals(SCHEMA)
    assert list(SCHEMA.names) == list(Arrival.__annotations__)


def test_arrivals_give_back_their_rows_in_the_order_of_time(tmp_path: Path) -> None:
    rows = unscored_row(), scored_row()
    assert kept(tmp_path, rows).rows() == [scored_row(), unscored_row()]


def test_arrivals_without_rows_are_a_table_with_columns(tmp_path: Path) -> None:
    table = Arrivals(Store(str(tmp_path)), "watch/cap").table()
    assert (len(table), list(table.columns)) == (0, SCHEMA.names)
