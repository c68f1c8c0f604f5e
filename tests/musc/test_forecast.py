"""The forecast adds up to what the plan says, term by term."""

import pytest

from musc.forecast import forecast, shard_operations
from musc.plan import Shard, plan_shards, shard_bytes

N, P, C, D = 13, 7, 11, 5


def planned(memory_bytes: int) -> list[Shard]:
    return plan_shards(N, P, C, layers=(2, 3), degrees=(1, 3, 5), memory_bytes=memory_bytes)


def test_shard_operations_count_pairs_one_by_one() -> None:
    pairs = sum(1 for query in range(4) for other in range(N) if other >= 4 or other > query)
    assert shard_operations(4, N, P, C) == pairs * 2 * P * P * C


def test_forecast_terms() -> None:
    shards = planned(10**9)
    cost = forecast(N, P, C, embedding_width=D, layer_count=2, block_count=3, shards=shards, lot_size=N)
    assert cost.shard_count == 6
    assert cost.peak_bytes == shard_bytes(N, N, P, C)
    assert cost.stored_bytes == 2 * N * P * C * 2 + N * D * 4 + 6 * N * P * 4
    assert cost.operations == 6 * N * (N - 1) / 2 * 2 * P * P * C


def test_forecast_stored_aggregation_adds_features_per_degree() -> None:
    plain, kept = (
        forecast(
            N,
            P,
            C,
            embedding_width=D,
            layer_count=2,
            block_count=1,
            shards=planned(10**9),
            lot_size=N,
            aggregated_copies=copies,
        ).stored_bytes
        for copies in (0, 3)
    )
    assert kept - plain == 3 * 2 * N * P * C * 2


@pytest.mark.parametrize("query_count", [1, 3, 6])
def test_forecast_less_memory_costs_more_operations(query_count: int) -> None:
    whole, divided = (
        forecast(N, P, C, embedding_width=D, layer_count=2, block_count=1, shards=planned(memory), lot_size=N)
        for memory in (10**9, shard_bytes(query_count, N, P, C))
    )
    assert divided.peak_bytes <= shard_bytes(query_count, N, P, C) < whole.peak_bytes
    assert whole.operations < divided.operations <= 2 * whole.operations
