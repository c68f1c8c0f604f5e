"""The planned bytes of a shard hold the peak that torch measures."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import settings
from torch.profiler import ProfilerActivity, profile

from musc.layers import Layer
from musc.lnamd import PooledTokens, aggregate, pool
from musc.mutual import LayerTokens, block_scores
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from musc.plan.shard_memory import box_bytes, shard_bytes

LAW = settings(max_examples=25, deadline=None, database=None)
N, P, C = 101, 37, 13
GRID = (1, 37)
LAYERS = (Layer(5, GRID, C), Layer(11, GRID, C))
POOLED = {5: (1, 3, 5)}


def measured_peak(
    query_count: int,
    image_count: int,
    cells: tuple[int, int],
    width: int,
    high: float,
    degrees: tuple[int, ...] = (),
    **references: Any,
) -> int:
    """Bytes torch holds at most while one shard reads, prepares and scores its images as the pipeline does.

    Without degrees that are pooled, images are aggregated at degree 3.
    """
    patch_count, inside = cells[0] * cells[1], references.get("inside", query_count)
    stored = F.normalize(torch.randn(max(query_count, image_count), patch_count, width), dim=2).half()

    def chunks(start: int, stop: int) -> list[tuple[int, int]]:
        return [(first, min(first + CHUNK_IMAGES, stop)) for first in range(start, stop, CHUNK_IMAGES)]

    def made(first: int, last: int) -> LayerTokens:
        tokens = stored[first:last].clone()
        return pool(tokens, cells, degrees) if degrees else aggregate(tokens, cells, 3)

    def together() -> LayerTokens:
        vectors, scales = torch.empty(query_count, patch_count, width), []
        for first, last in chunks(0, query_count):
            chunk = made(first, last)
            if isinstance(chunk, PooledTokens):
                vectors[first:last] = chunk.tokens
                scales.append(chunk.scales)
            else:
                vectors[first:last] = chunk
        return PooledTokens(vectors, torch.cat(scales), cells, degrees) if degrees else vectors

    def shard() -> torch.Tensor:
        queries = together()
        streamed = ((first, made(first, last)) for first, last in chunks(inside, image_count))
        return block_scores(queries, 0, streamed, image_count, (0.0, high), **references)

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        shard()
    results = profiler.profiler.kineto_results
    held = most = 0
    for event in results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


@pytest.mark.parametrize("high", [0.3, 1.0])
@pytest.mark.parametrize(
    ("query_count", "image_count", "grid", "width"),
    [
        (61, 61, (13, 13), 17),
        (7, 61, (13, 13), 17),
        (2, 19, (7, 5), 1009),
        (29, 29, (7, 5), 211),
        (2, 2, (23, 29), 13),
        (2, 3, (47, 53), 5),
    ],
    ids=["whole_lot", "block", "wide_block", "wide_lot", "pair", "many_patches"],
)
def test_shard_bytes_hold_the_measured_peak(
    query_count: int, image_count: int, grid: tuple[int, int], width: int, high: float
) -> None:
    planned = shard_bytes(query_count, image_count, grid[0] * grid[1], width)
    assert 0 < measured_peak(query_count, image_count, grid, width, high) <= planned


@pytest.mark.parametrize("degrees", [(1, 3), (1, 3, 5)])
@pytest.mark.parametrize(
    ("query_count", "image_count", "grid", "width"),
    [(61, 61, (13, 13), 17), (7, 61, (13, 13), 17), (2, 19, (7, 5), 1009), (2, 3, (47, 53), 5)],
    ids=["whole_lot", "block", "wide_block", "many_patches"],
)
def test_shard_bytes_hold_the_measured_peak_of_pooled_degrees(
    query_count: int, image_count: int, grid: tuple[int, int], width: int, degrees: tuple[int, ...]
) -> None:
    planned = shard_bytes(query_count, image_count, grid[0] * grid[1], width, 1, False, degrees)
    boxes = box_bytes(grid[0] * grid[1], degrees)  # which torch does not see
    assert 0 < measured_peak(query_count, image_count, grid, width, 0.3, degrees) <= planned - boxes


@pytest.mark.parametrize("query_count", [13, 5])
@pytest.mark.parametrize("grid", [(13, 13), (23, 29)], ids=["whole", "bands"])
@pytest.mark.parametrize("match_radius", [None, 3])
def test_shard_bytes_hold_the_measured_peak_where_matches_are_masked(
    query_count: int, grid: tuple[int, int], match_radius: int | None
) -> None:
    patch_count = grid[0] * grid[1]
    excluded = torch.ones(13, patch_count, dtype=torch.bool)
    planned = shard_bytes(query_count, 13, patch_count, 17, masked=True)
    peak = measured_peak(query_count, 13, grid, 17, 0.3, excluded=excluded, match_radius=match_radius, grid=grid)
    assert 0 < peak <= planned


def test_shard_bytes_hold_the_measured_peak_of_a_sample() -> None:
    planned = shard_bytes(61, 19, 169, 17)
    assert planned < shard_bytes(61, 61, 169, 17)
    assert 0 < measured_peak(61, 19, (13, 13), 17, 0.3, inside=11, spare=2) <= planned


def test_shard_bytes_are_not_much_above_the_peak_of_a_large_shard() -> None:
    assert shard_bytes(61, 61, 169, 17) < 1.5 * measured_peak(61, 61, (13, 13), 17, 0.3)
