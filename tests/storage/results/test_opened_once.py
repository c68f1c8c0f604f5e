"""Metadata of stored features are read once by a process: about one file for each block and layer."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from storage.results.feature_rows import FeatureRows
from storage.results.features import ArraySpec, LotFeatures, writing_block
from storage.store import Store

BLOCKS, IMAGES, LAYERS = ("features/a", "features/b"), 40, (3, 5)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path))
    arrays = {f"layer_{layer:02d}": ArraySpec((3, 2), "float16") for layer in LAYERS}
    for block in BLOCKS:
        values = {name: np.zeros((IMAGES, 3, 2), np.float16) for name in arrays}
        with writing_block(store, block, image_count=IMAGES, arrays=arrays, chunk_images=8, attributes={}) as written:
            written.write(0, values)
    return store


def test_arrays_are_opened_once_for_all_images(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    open_array = Store.zarr_array

    def counted(self: Store, path: str) -> zarr.Array:
        opened.append(path)
        return open_array(self, path)

    monkeypatch.setattr(Store, "zarr_array", counted)
    for _ in range(3):  # as queries, as references before them and behind them
        features = LotFeatures(store, BLOCKS)
        rows = FeatureRows(store, features.block_rows)
        for layer in LAYERS:
            for start in range(0, len(rows), 8):
                rows.patch_tokens(layer, start, start + 8)
    assert sorted(opened) == sorted(f"{block}/layer_{layer:02d}" for block in BLOCKS for layer in LAYERS)


def test_markers_are_read_once_for_all_tasks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_file = Store.read
    monkeypatch.setattr(Store, "read", lambda self, path: [read.append(path), read_file(self, path)][1])
    for _ in range(3):
        assert len(LotFeatures(store, BLOCKS)) == IMAGES * len(BLOCKS)
    assert read == [f"{block}/complete.json" for block in BLOCKS]
