"""The division of a lot into blocks, subsets and shards. Counts are distinct primes, so that every term shows."""

from itertools import product
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musc.grids import rounded_up
from musc.layers import Layer
from musc.plan.chunks_and_blocks import BLOCK_IMAGES, CHUNK_IMAGES, MAX_BLOCKS, plan_blocks, plan_subsets
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shard_memory import box_bytes, largest_query_count, shard_bytes
from musc.plan.shards import Shard, plan_shards

LAW = settings(max_examples=25, deadline=None, database=None)
N, P, C = 101, 37, 13
GRID = (1, 37)


def compared(number: int, grid: tuple[int, int] = GRID, width: int = C, *, pooled: bool = False) -> LayerComparison:
    return LayerComparison(Layer(number, grid, width), (1, 3, 5), pooled=pooled)


LAYERS = (compared(5), compared(11))


def covered(bounds: list[tuple[int, int]]) -> list[int]:
    return [image for start, stop in bounds for image in range(start, stop)]


@LAW
@given(image_count=st.integers(0, 3000), chunks=st.none() | st.integers(1, 20))
def test_blocks_cover_each_image_once(image_count: int, chunks: int | None) -> None:
    bounds = plan_blocks(image_count, chunks and chunks * CHUNK_IMAGES)
    assert covered(bounds) == list(range(image_count))


@LAW
@given(image_count=st.integers(1, 3000), chunks=st.none() | st.integers(1, 20))
def test_blocks_start_at_chunks(image_count: int, chunks: int | None) -> None:
    bounds = plan_blocks(image_count, chunks and chunks * CHUNK_IMAGES)
    assert all(start % CHUNK_IMAGES == 0 and start < stop for start, stop in bounds)


@pytest.mark.parametrize("image_count", [1, BLOCK_IMAGES * MAX_BLOCKS])
def test_blocks_keep_their_size_up_to_the_most(image_count: int) -> None:
    bounds = plan_blocks(image_count)
    assert bounds[0] == (0, min(BLOCK_IMAGES, image_count))
    assert len(bounds) <= MAX_BLOCKS


@pytest.mark.parametrize("image_count", [BLOCK_IMAGES * MAX_BLOCKS + 1, 99_991, 1_000_003])
def test_blocks_grow_for_very_large_lots(image_count: int) -> None:
    bounds = plan_blocks(image_count)
    assert len(bounds) <= MAX_BLOCKS
    assert bounds[0][1] % CHUNK_IMAGES == 0
    assert bounds[0][1] > BLOCK_IMAGES
    assert bounds[-1][1] == image_count


@pytest.mark.parametrize(("block_images", "suggested"), [(0, 8), (-8, 8), (7, 8), (21, 24), (65, 64)])
def test_blocks_refuse_parts_of_chunks(block_images: int, suggested: int) -> None:
    message = f"block_images must be a positive multiple .* got {block_images}; use for example {suggested}$"
    with pytest.raises(ValueError, match=message):
        plan_blocks(N, block_images)


@LAW
@given(subset_count=st.integers(1, 20), each=st.integers(2, 9), more=st.integers(0, 19))
def test_subsets_are_equal_and_cover_each_image_once(subset_count: int, each: int, more: int) -> None:
    image_count = subset_count * each + more
    bounds = plan_subsets(image_count, subset_count)
    sizes = [stop - start for start, stop in bounds]
    assert covered(bounds) == list(range(image_count))
    assert len(bounds) == subset_count
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2


@pytest.mark.parametrize(("image_count", "subset_count", "most"), [(7, 4, 3), (7, 0, 3), (7, -1, 3), (1, 2, 1)])
def test_subsets_refuse_lone_images(image_count: int, subset_count: int, most: int) -> None:
    message = f"subsets must be .* got {subset_count} for {image_count} images; use at most {most}$"
    with pytest.raises(ValueError, match=message):
        plan_subsets(image_count, subset_count)


@LAW
@given(image_count=st.integers(2, 200), queries=st.integers(1, 250))
def test_shards_cover_each_layer_and_image_once(image_count: int, queries: int) -> None:
    memory = shard_bytes(queries, image_count, P, C)
    shards = plan_shards(image_count, LAYERS, memory_bytes=memory)
    units = [(shard.layer, image) for shard in shards for image in range(shard.start, shard.stop)]
    assert sorted(units) == sorted(product((5, 11), range(image_count)))


@LAW
@given(image_count=st.integers(2, 200), queries=st.integers(1, 250), spare=st.integers(0, 997))
def test_shards_fit_the_memory(image_count: int, queries: int, spare: int) -> None:
    memory = shard_bytes(queries, image_count, P, C) + spare
    shards = plan_shards(image_count, LAYERS, memory_bytes=memory)
    assert all(shard_bytes(shard.stop - shard.start, image_count, P, C) <= memory for shard in shards)


def test_shards_whole_lot_where_it_fits() -> None:
    memory = shard_bytes(N, N, P, C)
    shards = plan_shards(N, [compared(7)], memory_bytes=memory)
    assert shards == [Shard(7, 0, N)]


def test_shards_divide_when_one_byte_is_missing() -> None:
    memory = shard_bytes(N, N, P, C) - 1
    shards = plan_shards(N, [compared(7)], memory_bytes=memory)
    assert shards == [Shard(7, 0, 51), Shard(7, 51, N)]


def test_shards_refuse_memory_below_one_query() -> None:
    needed = shard_bytes(1, N, P, C)
    needed_text, given_text = f"{ceil(needed / 1e4) / 100:,.2f}", f"{floor((needed - 1) / 1e4) / 100:,.2f}"
    megabytes = f"{needed_text} MB are needed, {given_text} MB given"
    message = f"one query image .* to {N} references, each of {P} patches of width {C}: {megabytes}"
    with pytest.raises(MemoryError, match=message):
        plan_shards(N, LAYERS, memory_bytes=needed - 1)


def test_largest_query_count_is_the_last_that_fits() -> None:
    memory = 2_000_003
    most = largest_query_count(N, N, compared(7), memory)
    assert 1 <= most < N
    assert shard_bytes(most, N, P, C) <= memory < shard_bytes(most + 1, N, P, C)


def test_largest_query_count_is_0_without_memory() -> None:
    assert largest_query_count(N, N, compared(7), 0) == 0


def test_shard_bytes_grow_by_one_query() -> None:
    grown = shard_bytes(18, N, P, C) - shard_bytes(17, N, P, C)
    assert grown == 4 * P * C + 4 * N * P + 3 * 4 * P


def test_shard_bytes_grow_by_one_image() -> None:
    assert shard_bytes(17, N + 1, P, C) - shard_bytes(17, N, P, C) == 4 * 17 * P + 3 * 4 * P


def test_shard_bytes_of_pooled_degrees_grow_by_one_query() -> None:
    grown, single = (
        shard_bytes(18, N, P, C, 1, False, degrees) - shard_bytes(17, N, P, C, 1, False, degrees)
        for degrees in ((1, 3, 5), ())
    )
    assert grown - single == 2 * (4 * N * P + 3 * 4 * P) + 3 * 4 * P


def test_shards_of_pooled_layers_hold_similarities_at_all_degrees() -> None:
    memory = shard_bytes(N, N, P, C, 1, False, (1, 3, 5)) - 1
    assert memory > shard_bytes(N, N, P, C)
    shards = plan_shards(N, [compared(5, pooled=True), compared(11)], memory_bytes=memory)
    assert shards == [Shard(5, 0, 51), Shard(5, 51, N), Shard(11, 0, N)]


@pytest.mark.parametrize("degrees", [(1, 3), (1, 3, 5), (7,)])
@pytest.mark.parametrize("grid", [(1, 37), (37, 1), (6, 6)])
def test_box_bytes_hold_the_planes_of_any_grid(grid: tuple[int, int], degrees: tuple[int, ...]) -> None:
    reach, patch_count = max(degrees) // 2, grid[0] * grid[1]
    wide = grid[1] + reach
    plane, margin = grid[0] * wide, reach * wide + reach
    planes = (4 + len(degrees) * (2 * reach + 1)) * (plane + 2 * margin)
    factors = (1 + 2 * len(degrees)) * plane
    assert box_bytes(patch_count, degrees) >= 4 * (planes + factors + patch_count)


def test_shards_of_a_sample_need_memory_for_its_images_only() -> None:
    memory = shard_bytes(N, 11, P, C)
    shards = plan_shards(N, [compared(7)], memory_bytes=memory, reference_count=11)
    assert shards == [Shard(7, 0, N)]


@LAW
@given(count=st.integers(0, 1000), multiple=st.integers(1, 50))
def test_rounded_up_is_the_smallest_multiple(count: int, multiple: int) -> None:
    rounded = rounded_up(count, multiple)
    assert rounded % multiple == 0
    assert count <= rounded < count + multiple


def test_shards_divide_each_layer_by_itself_within_one_budget() -> None:
    fine, coarse = compared(5, (8, 8), 13), compared(11, (4, 4), 31)
    memory = shard_bytes(40, N, 64, 13)
    assert shard_bytes(N, N, 16, 31) <= memory < shard_bytes(N, N, 64, 13)
    shards = plan_shards(N, [fine, coarse], memory_bytes=memory)
    divided = [Shard(5, *bound) for bound in ((0, 34), (34, 68), (68, N))]
    assert shards == [*divided, Shard(11, 0, N)]


def test_shards_refuse_memory_below_one_query_of_the_largest_layer() -> None:
    memory = shard_bytes(1, N, 64, C) - 1
    with pytest.raises(MemoryError, match=f"references, each of 64 patches of width {C}"):
        plan_shards(N, [compared(11, (4, 4)), compared(12, (8, 8))], memory_bytes=memory)
