"""Groups of images that share a flaw, on disk: one small artefact per lot."""

import numpy as np
from pydantic import BaseModel

from storage.artefacts import facts, writing
from storage.store import Store
from storage.tables import read_table, write_table

FOLDER = "groups"
TABLE = "groups.parquet"


class GroupFacts(BaseModel):
    """What the marker of a lot's groups notes."""

    grid: tuple[int, int]
    """Rows and columns of the masks."""


def write_groups(store: Store, path: str, of_image: np.ndarray, patches: np.ndarray) -> None:
    """Store the groups of a lot as an artefact: a row per image, with its group and its shared patches.

    Args:
        path: where in the store, by its key.
        of_image: int64 (N,), the group of each image; 0 for none.
        patches: bool (N, rows, columns), the patches that the images of a group share, on the grid of one layer.
    """
    import pandas as pd

    table = pd.DataFrame({"group": of_image, "patches": [np.flatnonzero(image) for image in patches]})
    with writing(store, path) as staging:
        staging.facts.update(grid=list(patches.shape[1:]))
        write_table(store, f"{staging.path}/{TABLE}", table)


def read_groups(store: Store, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Read what `write_groups` wrote: group of each image, int64 (N,), and shared patches, bool (N, rows, columns)."""
    table = read_table(store, f"{path}/{TABLE}")
    grid = GroupFacts.model_validate(facts(store, path)).grid
    patches = np.zeros((len(table), *grid), dtype=bool)
    for image, shared in enumerate(table["patches"]):
        patches[image].flat[np.asarray(shared, dtype=np.int64)] = True
    return table["group"].to_numpy(dtype=np.int64), patches
