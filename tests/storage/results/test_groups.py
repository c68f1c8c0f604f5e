"""Groups on disk: what is read back is what was found."""

import numpy as np

from storage.artefacts import facts, is_complete
from storage.results.groups import read_groups, write_groups
from storage.store import Store

PATH = "groups/key"


def test_groups_are_read_back(store: Store) -> None:
    of_image = np.array([1, 0, 2, 1, 0], dtype=np.int64)
    patches = np.random.default_rng(0).random((5, 3, 2)) < 0.5
    patches[1] = False
    write_groups(store, PATH, of_image, patches)
    found, shared = read_groups(store, PATH)
    np.testing.assert_array_equal(found, of_image, strict=True)
    np.testing.assert_array_equal(shared, patches, strict=True)
    assert is_complete(store, PATH)
    assert facts(store, PATH) == {"grid": [3, 2]}


def test_groups_of_a_lot_without_any_are_read_back(local_store: Store) -> None:
    write_groups(local_store, PATH, np.zeros(3, dtype=np.int64), np.zeros((3, 2, 5), dtype=bool))
    found, shared = read_groups(local_store, PATH)
    np.testing.assert_array_equal(found, np.zeros(3, dtype=np.int64), strict=True)
    np.testing.assert_array_equal(shared, np.zeros((3, 2, 5), dtype=bool), strict=True)


def test_groups_keep_the_place_of_a_patch_on_a_grid_that_is_not_square(local_store: Store) -> None:
    patches = np.zeros((2, 2, 7), dtype=bool)
    patches[0, 1, 2] = patches[1, 0, 6] = True
    write_groups(local_store, PATH, np.ones(2, dtype=np.int64), patches)
    _, shared = read_groups(local_store, PATH)
    assert np.argwhere(shared).tolist() == [[0, 1, 2], [1, 0, 6]]
    assert shared.shape == (2, 2, 7)
