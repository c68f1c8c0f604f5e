"""Patch scores on disk, float32 (n, rows, columns): one small artefact per shard, and an array in the lot's run.

Maps are resized from them when needed and never stored at pixel size.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.artefacts import writing
from storage.store import Store

if TYPE_CHECKING:
    import zarr
    from zarr.core.buffer import Buffer

FOLDER = "patch_scores"
NAME, FINE = "scores", "fine"
IMAGES_A_CHUNK = 256


def write_shard(store: Store, path: str, scores: np.ndarray, attributes: Mapping[str, Any]) -> None:
    """Store the patch scores of one shard as an artefact.

    Args:
        path: where in the store, by its key.
        scores: float32 (n, rows, columns).
        attributes: what was scored, for whoever opens the array.
    """
    with writing(store, path) as staging:
        write_scores(store, staging.path, scores, attributes)


def write_scores(
    store: Store, path: str, scores: np.ndarray, attributes: Mapping[str, Any], fine: np.ndarray | None = None
) -> None:
    """Write float32 (n, rows, columns) as the zarr array `scores` of a new group, and those of the finest level.

    The group is made in memory and its files are written then: zarr would ask a store far away for each of them.

    Raises:
        FileExistsError: if something lies there.
    """
    import zarr

    if store.sizes(path):
        raise FileExistsError(f"patch scores must be written to a new place, got {store.location(path)}")
    files: dict[str, Buffer] = {}
    group = zarr.create_group(
        zarr.storage.MemoryStore(files), zarr_format=3, attributes={"format_version": 1, **attributes}
    )
    chunks = (min(len(scores), IMAGES_A_CHUNK), *scores.shape[1:])
    for name, values in ({NAME: scores} | ({} if fine is None else {FINE: fine})).items():
        array = group.create_array(
            name, shape=values.shape, chunks=chunks, dtype="float32", fill_value=np.float32("nan")
        )
        array[:] = values.astype(np.float32, copy=False)
    for name, content in files.items():
        store.write(f"{path}/{name}", content.to_bytes())


def read_scores(store: Store, path: str) -> np.ndarray:
    """Read what `write_scores` or `write_shard` wrote: float32 (n, rows, columns)."""
    return np.asarray(opened_scores(store, path)[:])


def score_grid(store: Store, path: str) -> tuple[int, ...]:
    """Rows and columns of stored patch scores."""
    return tuple(opened_scores(store, path).shape[1:])


@lru_cache(maxsize=1024)
def opened_scores(store: Store, path: str) -> "zarr.Array":
    """The array of complete scores, whose metadata a process reads once: their path says their content."""
    return store.zarr_array(f"{path}/{NAME}")


def fine_array(store: Store, path: str) -> "zarr.Array":
    """The patch scores of the finest level, of the run's array; all levels' where they share a grid or are of tiles."""
    return store.zarr_array(f"{path}/{FINE if store.exists(f'{path}/{FINE}/zarr.json') else NAME}")
