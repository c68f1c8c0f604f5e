"""The projected cost adds up to what the plan says, term by term."""

from collections.abc import Sequence
from typing import Any

import pytest

from musc.layers import Layer
from musc.plan.cost import lot_cost, pair_count
from musc.plan.layer_comparison import LayerComparison
from musc.plan.pooling import compare_layers, pair_operations
from musc.plan.shard_memory import shard_bytes
from musc.plan.shards import Shard, plan_shards

N, P, C, D = 13, 7, 11, 5
DEGREES = (1, 3, 5)


def compared(number: int, grid: tuple[int, int] = (7, 1), width: int = C, **how: Any) -> LayerComparison:
    return LayerComparison(Layer(number, grid, width), **{"degrees": DEGREES, **how})


LAYERS = (compared(2), compared(3))


def planned(memory_bytes: int, layers: Sequence[LayerComparison] = LAYERS) -> list[Shard]:
    return plan_shards(N, layers, memory_bytes=memory_bytes)


def test_pair_count_counts_pairs_one_by_one() -> None:
    pairs = sum(1 for query in range(4) for other in range(N) if other >= 4 or other > query)
    assert pair_count(4, N, N) == pairs


def test_forecast_terms() -> None:
    shards = planned(10**9)
    cost = lot_cost(N, LAYERS, embedding_width=D, block_count=3, shards=shards, lot_size=N)
    assert cost.shard_count == 2
    assert cost.peak_bytes == shard_bytes(N, N, P, C)
    assert cost.stored_bytes == 2 * N * P * C * 2 + N * D * 4 + 2 * N * P * 4
    assert cost.operations == 6 * N * (N - 1) / 2 * 2 * P * P * C


def test_forecast_stored_aggregation_adds_features_per_degree() -> None:
    plain, kept = (
        lot_cost(
            N,
            LAYERS,
            embedding_width=D,
            block_count=1,
            shards=planned(10**9),
            lot_size=N,
            aggregated_copies=copies,
        ).stored_bytes
        for copies in (0, 3)
    )
    assert kept - plain == 3 * 2 * N * P * C * 4  # in float32


def test_pair_count_of_a_sample_counts_pairs_one_by_one() -> None:
    sample = range(5)
    pairs = sum(1 for query in range(N) for one in sample if one != query and (query not in sample or one > query))
    assert pair_count(N, N, 5) == pairs


def test_pair_count_of_earlier_lots_adds_a_pair_for_each_query() -> None:
    assert pair_count(4, N, N, earlier_count=3) - pair_count(4, N, N) == 4 * 3


def test_forecast_of_a_sample_an_earlier_lot_and_a_window() -> None:
    patches, layers = 640, [compared(2, (40, 16), degrees=(1,), masked=True, match_radius=3)]
    shards = plan_shards(N, layers, memory_bytes=10**9, reference_count=6 + 2)
    cost = lot_cost(
        N,
        layers,
        embedding_width=D,
        block_count=1,
        shards=shards,
        lot_size=N,
        reference_count=5,
        earlier_count=2,
    )
    assert cost.reference_count == 5 + 2
    assert cost.peak_bytes == shard_bytes(N, 6 + 2, patches, C, masked=True)
    bands = sum(min(8, 40 - start) * (min(40, start + 11) - max(0, start - 3)) for start in range(0, 40, 8)) * 16**2
    pairs = 6 * 5 / 2 + (N - 6) * 6 + N * 2
    assert cost.operations == pytest.approx(pairs * 2 * bands * C)


@pytest.mark.parametrize("query_count", [1, 3, 6])
def test_forecast_less_memory_costs_more_operations(query_count: int) -> None:
    whole, divided = (
        lot_cost(N, LAYERS, embedding_width=D, block_count=1, shards=planned(memory), lot_size=N)
        for memory in (10**9, shard_bytes(query_count, N, P, C))
    )
    assert divided.peak_bytes <= shard_bytes(query_count, N, P, C) < whole.peak_bytes
    assert whole.operations < divided.operations <= 2 * whole.operations


def test_forecast_layers_of_their_own_grid_and_width_add_up() -> None:
    layers = (compared(2, (6, 4), 11), compared(3, (3, 2), 17))
    shards = planned(shard_bytes(5, N, 24, 11), layers)
    counts = [[shard.stop - shard.start for shard in shards if shard.layer == one.layer.number] for one in layers]
    assert counts == [[5, 5, 3], [N]]
    cost = lot_cost(N, layers, embedding_width=D, block_count=1, shards=shards, lot_size=N, aggregated_copies=3)
    assert cost.layers == tuple(one.layer for one in layers)
    assert cost.stored_bytes == N * (24 * 11 + 6 * 17) * (2 + 3 * 4) + N * D * 4 + N * (24 + 6) * 4
    fine = 3 * sum(pair_count(count, N, N) for count in (5, 5, 3)) * 2 * 24 * 24 * 11
    coarse = 3 * N * (N - 1) / 2 * 2 * 6 * 6 * 17
    assert cost.layer_operations == (fine, coarse)
    assert cost.operations == fine + coarse


@pytest.mark.parametrize("width", [1, 997])
def test_forecast_peak_is_that_of_the_layer_that_needs_most(width: int) -> None:
    layers = (compared(2, (6, 4), 11), compared(3, (3, 2), width))
    cost = lot_cost(N, layers, embedding_width=D, block_count=1, shards=planned(10**9, layers), lot_size=N)
    fine, coarse = shard_bytes(N, N, 24, 11), shard_bytes(N, N, 6, width)
    assert cost.peak_bytes == (fine if width == 1 else coarse) == max(fine, coarse)


def test_forecast_counts_the_window_in_patches_of_each_layer() -> None:
    fine_layer, coarse_layer = Layer(2, (80, 32), 11), Layer(3, (40, 16), 17)
    layers = compare_layers([fine_layer, coarse_layer], (1,), pair_count=1, match_radius=5)
    shards = plan_shards(N, layers, memory_bytes=10**9)
    cost = lot_cost(
        N,
        layers,
        embedding_width=D,
        block_count=1,
        shards=shards,
        lot_size=N,
    )
    fine = sum(4 * (min(80, start + 4 + 5) - max(0, start - 5)) for start in range(0, 80, 4)) * 32**2
    coarse = sum(8 * (min(40, start + 8 + 3) - max(0, start - 3)) for start in range(0, 40, 8)) * 16**2
    pairs = N * (N - 1) / 2
    assert cost.layer_operations == pytest.approx((pairs * 2 * fine * 11, pairs * 2 * coarse * 17))


def test_forecast_of_pooled_layers_counts_one_product_with_box_sums_and_memory_for_all_degrees() -> None:
    layers = (compared(2, pooled=True), compared(3))
    shards = planned(10**9, layers)
    cost = lot_cost(
        N,
        layers,
        embedding_width=D,
        block_count=1,
        shards=shards,
        lot_size=N,
    )
    pairs = N * (N - 1) / 2
    assert cost.layer_operations == (
        pairs * pair_operations(layers[0]),
        pairs * 3 * 2 * P * P * C,
    )
    assert cost.peak_bytes == shard_bytes(N, N, P, C, 1, False, DEGREES)
    assert cost.comparisons == layers
