"""Patch scores on disk: bit for bit, and complete or absent."""

import json

import numpy as np
import pytest

from storage.artefacts import is_complete
from storage.results.patch_scores import IMAGES_A_CHUNK, NAME, read_scores, write_scores, write_shard
from storage.store import Store


def scores(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).random(shape, dtype=np.float32)


def test_shard_is_read_back_bit_for_bit(store: Store) -> None:
    expected = scores(5, 3, 2)
    write_shard(store, "patch_scores/key", expected, {"layer": 5})
    np.testing.assert_array_equal(read_scores(store, "patch_scores/key"), expected, strict=True)


def test_shard_is_a_complete_artefact(store: Store) -> None:
    write_shard(store, "patch_scores/key", scores(5, 3, 2), {})
    assert is_complete(store, "patch_scores/key")


def test_shard_with_a_lost_chunk_is_not_complete(store: Store) -> None:
    write_shard(store, "patch_scores/key", scores(5, 3, 2), {})
    store.filesystem.rm_file(store.full(f"patch_scores/key/{NAME}/c/0/0/0"))
    assert not is_complete(store, "patch_scores/key")
    assert np.isnan(read_scores(store, "patch_scores/key")).all()


def test_scores_of_many_images_lie_in_several_chunks(local_store: Store) -> None:
    expected = scores(IMAGES_A_CHUNK + 1, 2, 1)
    write_scores(local_store, "scores", expected, {})
    assert [name for name in local_store.sizes(f"scores/{NAME}") if name.startswith("c/")] == ["c/0/0/0", "c/1/0/0"]
    np.testing.assert_array_equal(read_scores(local_store, "scores"), expected)


def test_scores_are_stored_as_float32(local_store: Store) -> None:
    write_scores(local_store, "scores", scores(2, 3, 2).astype(np.float64), {})
    assert json.loads(local_store.read(f"scores/{NAME}/zarr.json"))["data_type"] == "float32"
    assert read_scores(local_store, "scores").dtype == np.float32


def test_scores_may_be_zero_everywhere(local_store: Store) -> None:
    """Chunks that equal the fill value are not written; zeros must not be taken for unwritten ones."""
    write_scores(local_store, "scores", np.zeros((2, 3, 2), np.float32), {})
    np.testing.assert_array_equal(read_scores(local_store, "scores"), np.zeros((2, 3, 2)))


def test_scores_attributes_say_what_was_scored(local_store: Store) -> None:
    write_scores(local_store, "scores", scores(2, 3, 2), {"layer": 5, "degree": 3})
    attributes = dict(local_store.zarr_group("scores", mode="r").attrs)
    assert attributes == {"format_version": 1, "layer": 5, "degree": 3}


def test_scores_are_written_to_a_new_place_only(local_store: Store) -> None:
    written = scores(IMAGES_A_CHUNK + 1, 2, 1)
    write_scores(local_store, "scores", written, {})
    with pytest.raises(FileExistsError):
        write_scores(local_store, "scores", np.ones((2, 3, 2), np.float32), {})
    np.testing.assert_array_equal(read_scores(local_store, "scores"), written)


def test_scores_that_are_missing_are_no_zeros(local_store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        read_scores(local_store, "scores")
