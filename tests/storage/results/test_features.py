"""Features on disk: how blocks are written, and how several blocks are read as one lot."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from storage.artefacts import is_complete
from storage.errors import IncompleteError
from storage.results.features import (
    CLASS_TOKENS,
    ArraySpec,
    Exclusion,
    LotFeatures,
    layer_name,
    writing_block,
)
from storage.store import Store

PATCHES, WIDTH, EMBEDDING = 7, 3, 5
ARRAYS = {"layer_11": ArraySpec((PATCHES, WIDTH), "float16"), CLASS_TOKENS: ArraySpec((EMBEDDING,), "float32")}
Values = dict[str, np.ndarray]


def features(seed: int, image_count: int) -> Values:
    rng = np.random.default_rng(seed)
    return {
        name: rng.standard_normal((image_count, *array.shape)).astype(array.dtype) for name, array in ARRAYS.items()
    }


def write(
    store: Store, path: str, values: Values, *, chunk_images: int = 2, excluded: Mapping[int, str] | None = None
) -> None:
    image_count = len(values[CLASS_TOKENS])
    with writing_block(
        store, path, image_count=image_count, arrays=ARRAYS, chunk_images=chunk_images, attributes={"backbone": "test"}
    ) as staging:
        for start in range(0, image_count, chunk_images):
            staging.write(start, {name: rows[start : start + chunk_images] for name, rows in values.items()})
        for position, status in (excluded or {}).items():
            staging.exclude(position, status, f"reason {position}")


def joined(name: str, blocks: Sequence[Values], excluded: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """The rows that should be read, one after the other."""
    return [
        row
        for block, gaps in zip(blocks, excluded, strict=True)
        for position, row in enumerate(block[name])
        if position not in gaps
    ]


def test_block_is_read_back_bit_for_bit(store: Store) -> None:
    values = features(0, 5)
    write(store, "block", values)
    lot = LotFeatures(store, ("block",))
    np.testing.assert_array_equal(lot.patch_tokens(11, 0, 5), values["layer_11"], strict=True)
    np.testing.assert_array_equal(lot.class_tokens(), values[CLASS_TOKENS], strict=True)


def test_block_is_complete_only_after_the_with_block(store: Store) -> None:
    with writing_block(store, "block", image_count=2, arrays=ARRAYS, chunk_images=2, attributes={}) as staging:
        staging.write(0, features(0, 2))
        assert not is_complete(store, "block")
    assert is_complete(store, "block")


def fail_after_a_chunk(store: Store) -> None:
    with writing_block(store, "block", image_count=4, arrays=ARRAYS, chunk_images=2, attributes={}) as staging:
        staging.write(0, features(0, 2))
        raise RuntimeError("the device was lost")


def test_block_of_a_failed_writer_is_absent(store: Store) -> None:
    with pytest.raises(RuntimeError, match="lost"):
        fail_after_a_chunk(store)
    assert store.sizes("") == {}


def test_block_loses_nothing_to_a_second_writer_that_fails(store: Store) -> None:
    """A zarr group opened anew deletes what lies at its path, so that writers must not share one."""
    values = features(0, 4)
    with writing_block(store, "block", image_count=4, arrays=ARRAYS, chunk_images=2, attributes={}) as staging:
        staging.write(0, values)
        with pytest.raises(RuntimeError, match="lost"):
            fail_after_a_chunk(store)
    np.testing.assert_array_equal(LotFeatures(store, ("block",)).patch_tokens(11, 0, 4), values["layer_11"])


def test_block_stores_plain_chunks_of_a_few_images(local_store: Store) -> None:
    """A chunk's bytes are its values and nothing else: no compressor, and its file's size is known beforehand."""
    values = features(0, 5)
    write(local_store, "block", values)
    chunk_bytes = 2 * PATCHES * WIDTH * 2
    sizes = local_store.sizes("block/layer_11/c")
    assert sizes == {"0/0/0": chunk_bytes, "1/0/0": chunk_bytes, "2/0/0": chunk_bytes}
    assert local_store.read("block/layer_11/c/1/0/0") == values["layer_11"][2:4].tobytes()


@pytest.mark.parametrize(("name", "dtype"), [("layer_11", "float16"), (CLASS_TOKENS, "float32")])
def test_block_metadata_states_dtype_chunks_and_no_compressor(local_store: Store, name: str, dtype: str) -> None:
    write(local_store, "block", features(0, 5))
    metadata = json.loads(local_store.read(f"block/{name}/zarr.json"))
    assert metadata["zarr_format"] == 3
    assert metadata["data_type"] == dtype
    assert metadata["fill_value"] == "NaN"
    assert metadata["chunk_grid"]["configuration"]["chunk_shape"] == [2, *ARRAYS[name].shape]
    assert [codec["name"] for codec in metadata["codecs"]] == ["bytes"]


def test_block_smaller_than_a_chunk_takes_no_more_room(local_store: Store) -> None:
    write(local_store, "block", features(0, 3), chunk_images=8)
    assert local_store.sizes("block/layer_11/c") == {"0/0/0": 3 * PATCHES * WIDTH * 2}


def test_block_attributes_say_what_made_it(store: Store) -> None:
    write(store, "block", features(0, 2))
    assert dict(store.zarr_group("block", mode="r").attrs) == {"format_version": 1, "backbone": "test"}


def test_block_refuses_a_start_inside_a_chunk(local_store: Store) -> None:
    with (
        pytest.raises(
            ValueError, match=r"start must be a multiple of the chunk of 4 images, got 6; write whole chunks"
        ),
        writing_block(local_store, "block", image_count=9, arrays=ARRAYS, chunk_images=4, attributes={}) as staging,
    ):
        staging.write(6, features(0, 3))


@pytest.mark.parametrize("count", [3, 6])
def test_block_refuses_an_end_inside_a_chunk(local_store: Store, count: int) -> None:
    with (
        pytest.raises(
            ValueError,
            match=rf"layer_11 must end with a chunk of 4 images or with the block of 9, got images \[0, {count}\)",
        ),
        writing_block(local_store, "block", image_count=9, arrays=ARRAYS, chunk_images=4, attributes={}) as staging,
    ):
        staging.write(0, features(0, count))


@pytest.mark.parametrize("count", [2, 4])
def test_block_refuses_images_beyond_its_end(local_store: Store, count: int) -> None:
    with (
        pytest.raises(ValueError, match=rf"with the block of 9, got images \[8, {8 + count}\)"),
        writing_block(local_store, "block", image_count=9, arrays=ARRAYS, chunk_images=4, attributes={}) as staging,
    ):
        staging.write(8, features(0, count))


def test_block_refuses_rows_that_would_be_broadcast(local_store: Store) -> None:
    with (
        pytest.raises(ValueError, match=r"layer_11 must have the shape \(7, 3\) per image, got \(1, 3\); declare"),
        writing_block(local_store, "block", image_count=2, arrays=ARRAYS, chunk_images=2, attributes={}) as staging,
    ):
        staging.write(0, {"layer_11": np.ones((2, 1, WIDTH), np.float16)})


@pytest.mark.parametrize("counts", [(6,), (2, 4), (1, 1, 4), (4, 1, 1)])
def test_lot_is_the_same_however_it_is_cut_into_blocks(local_store: Store, counts: tuple[int, ...]) -> None:
    whole = features(3, 6)
    start = 0
    for count in counts:
        write(local_store, f"block{start}", {name: rows[start : start + count] for name, rows in whole.items()})
        start += count
    lot = LotFeatures(local_store, tuple(f"block{start}" for start in np.cumsum([0, *counts[:-1]])))
    np.testing.assert_array_equal(lot.patch_tokens(11, 0, 6), whole["layer_11"], strict=True)


EXCLUDED = ((0,), (1, 2), (), (0, 1, 2), (4,))
"""Per block: at the start, in the middle, none, all, at the end."""


@pytest.fixture
def gapped_lot(local_store: Store) -> tuple[LotFeatures, list[Values]]:
    """Five blocks of which some images are excluded."""
    blocks = [features(seed, count) for seed, count in enumerate((3, 5, 2, 3, 5))]
    for number, (values, gaps) in enumerate(zip(blocks, EXCLUDED, strict=True)):
        write(local_store, f"block{number}", values, excluded=dict.fromkeys(gaps, "unreadable"))
    return LotFeatures(local_store, tuple(f"block{number}" for number in range(5))), blocks


def test_lot_counts_usable_images_only(gapped_lot: tuple[LotFeatures, list[Values]]) -> None:
    assert len(gapped_lot[0]) == 2 + 3 + 2 + 0 + 4


def test_lot_skips_excluded_images_in_any_range(gapped_lot: tuple[LotFeatures, list[Values]]) -> None:
    lot, blocks = gapped_lot
    expected = joined("layer_11", blocks, EXCLUDED)
    for start in range(len(lot)):
        for stop in range(start + 1, len(lot) + 1):
            np.testing.assert_array_equal(
                lot.patch_tokens(11, start, stop), np.stack(expected[start:stop]), strict=True
            )


def test_lot_class_tokens_skip_excluded_images(gapped_lot: tuple[LotFeatures, list[Values]]) -> None:
    lot, blocks = gapped_lot
    expected = np.stack(joined(CLASS_TOKENS, blocks, EXCLUDED))
    np.testing.assert_array_equal(lot.class_tokens(), expected, strict=True)


def test_lot_exclusions_are_positions_in_the_lot(local_store: Store) -> None:
    write(local_store, "one", features(0, 3), excluded={2: "unreadable"})
    write(local_store, "two", features(1, 2))
    write(local_store, "three", features(2, 4), excluded={3: "too_large", 0: "not_finite"})
    assert LotFeatures(local_store, ("one", "two", "three")).exclusions == [
        Exclusion(2, "unreadable", "reason 2"),
        Exclusion(8, "too_large", "reason 3"),
        Exclusion(5, "not_finite", "reason 0"),
    ]


def test_lot_range_of_no_image_is_empty(gapped_lot: tuple[LotFeatures, list[Values]]) -> None:
    assert gapped_lot[0].patch_tokens(11, 4, 4).shape == (0, PATCHES, WIDTH)


def test_lot_of_excluded_images_only_is_empty(local_store: Store) -> None:
    write(local_store, "block", features(0, 2), excluded={0: "unreadable", 1: "unreadable"})
    lot = LotFeatures(local_store, ("block",))
    assert (len(lot), lot.class_tokens().shape) == (0, (0, EMBEDDING))


def test_lost_chunk_reads_as_nan_and_never_as_zero(store: Store) -> None:
    values = features(0, 6)
    write(store, "block", values)
    store.filesystem.rm_file(store.full("block/layer_11/c/1/0/0"))
    read = LotFeatures(store, ("block",)).patch_tokens(11, 0, 6)
    assert np.isnan(read[2:4]).all()
    np.testing.assert_array_equal(read[[0, 1, 4, 5]], values["layer_11"][[0, 1, 4, 5]])
    assert not is_complete(store, "block")


def test_chunk_that_was_never_written_reads_as_nan(local_store: Store) -> None:
    with writing_block(local_store, "block", image_count=4, arrays=ARRAYS, chunk_images=2, attributes={}) as staging:
        staging.write(2, features(0, 2))
    assert np.isnan(LotFeatures(local_store, ("block",)).patch_tokens(11, 0, 2)).all()


def test_lot_of_a_missing_block_is_refused(local_store: Store) -> None:
    write(local_store, "there", features(0, 2))
    with pytest.raises(IncompleteError, match=r"gone in .* is not complete"):
        len(LotFeatures(local_store, ("there", "gone")))


@pytest.mark.parametrize(("layer", "name"), [(5, "layer_05"), (23, "layer_23"), (101, "layer_101")])
def test_layer_name_sorts_as_layers_do(layer: int, name: str) -> None:
    assert layer_name(layer) == name
