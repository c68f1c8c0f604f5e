"""Regions of interest on disk: which patches of which images are looked at, on the grid of each layer."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from storage.artefacts import writing
from storage.store import Store

FOLDER = "regions"
FILE = "regions.npz"
CONTENTS = "sha256"


def write_regions(
    store: Store, path: str, contents: Sequence[str], masks: Mapping[tuple[int, int], np.ndarray]
) -> None:
    """Store the patches inside each region as an artefact.

    Args:
        path: where in the store, by its key.
        contents: SHA-256 of the image of each region; one empty text where one region serves all images.
        masks: by grid, bool (K, rows, columns), True inside.
    """
    arrays: Mapping[str, Any] = {f"{rows}x{columns}": of_grid for (rows, columns), of_grid in masks.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{CONTENTS: np.array(contents, dtype=np.str_), **arrays})
    with writing(store, path) as staging:
        store.write(f"{staging.path}/{FILE}", buffer.getvalue())


def read_regions(store: Store, path: str, grid: tuple[int, int]) -> np.ndarray:
    """The patches inside each region on one grid: bool (K, rows, columns)."""
    with np.load(io.BytesIO(store.read(f"{path}/{FILE}"))) as arrays:
        return np.asarray(arrays[f"{grid[0]}x{grid[1]}"])


def region_contents(store: Store, path: str) -> list[str]:
    """SHA-256 of the image of each region, in their order; one empty text where one region serves all images."""
    with np.load(io.BytesIO(store.read(f"{path}/{FILE}"))) as arrays:
        return [str(content) for content in arrays[CONTENTS]]
