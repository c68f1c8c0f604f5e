"""Rows of stored blocks come back as they were written, whatever lies between them."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from storage.results.feature_rows import FeatureRows
from storage.results.features import ArraySpec, LotFeatures, writing_block
from storage.store import Store

SIZES = {"features/a": 19, "features/b": 7}
EXCLUDED = {"features/a": [3], "features/b": [0, 5]}


@pytest.fixture
def tokens() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(7)
    return {block: draw.random((count, 3, 2)).astype(np.float16) for block, count in SIZES.items()}


@pytest.fixture
def store(tmp_path: Path, tokens: dict[str, np.ndarray]) -> Store:
    store = Store(str(tmp_path))
    arrays = {"layer_04": ArraySpec((3, 2), "float16")}
    for block, values in tokens.items():
        count = len(values)
        with writing_block(store, block, image_count=count, arrays=arrays, chunk_images=8, attributes={}) as staging:
            for start in range(0, count, 8):
                staging.write(start, {"layer_04": values[start : start + 8]})
            for position in EXCLUDED[block]:
                staging.exclude(position, "unreadable", "cut")
    return store


PLACES = [("features/b", 6), ("features/a", 2), ("features/a", 7), ("features/a", 0), ("features/a", 18)]


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (1, 3), (4, 9)])
def test_feature_rows_are_those_named(store: Store, tokens: dict[str, np.ndarray], start: int, stop: int) -> None:
    rows = FeatureRows(store, PLACES)
    assert len(rows) == 5
    expected = np.stack([tokens[block][row] for block, row in PLACES[start:stop]])
    np.testing.assert_array_equal(rows.patch_tokens(4, start, stop), expected)


def test_feature_rows_of_a_lots_places_are_the_lot(store: Store) -> None:
    lot = LotFeatures(store, tuple(SIZES))
    assert len(lot.block_rows) == len(lot) == 23
    np.testing.assert_array_equal(FeatureRows(store, lot.block_rows).patch_tokens(4, 0, 23), lot.patch_tokens(4, 0, 23))


def test_feature_rows_read_no_more_than_one_chunk_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read, whole = [], zarr.Array.__getitem__

    def counted(array: zarr.Array, selection: slice) -> object:
        read.append((selection.start, selection.stop))
        return whole(array, selection)

    monkeypatch.setattr(zarr.Array, "__getitem__", counted)
    FeatureRows(store, [("features/a", row) for row in (1, 4, 9, 17, 18)]).patch_tokens(4, 0, 5)
    assert read == [(1, 5), (9, 10), (17, 19)]
