"""Shards whose degrees are compared by one product: where, and told apart from the others."""

from dataclasses import replace

import pytest

from musc.plan import pooling
from musc.plan.shard_memory import shard_bytes
from planning import lot_specs as planning
from planning.lot_job import LotJob
from planning.lot_specs import aggregate_specs, extract_specs, score_specs
from planning.task_specs import ScoreSpec
from tests.flat import with_allocation
from tests.planning.small_lot import BACKBONE, JOB, LOT, contents

WIDE = replace(JOB, backbone=replace(BACKBONE, layers=tuple(replace(layer, width=4096) for layer in BACKBONE.layers)))
"""Patch tokens so wide that one product with box sums is cheaper than two products."""


@pytest.fixture
def numba_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "SETUP_OPERATIONS", 0)


def wide_specs(job: LotJob = WIDE) -> list[ScoreSpec]:
    extracting = extract_specs(job, "lot", LOT)
    aggregating = aggregate_specs(job, extracting) if job.allocation.store_aggregated else []
    return score_specs(job, extracting, aggregating, contents(LOT))


def test_small_lots_are_not_worth_starting_numba() -> None:
    assert not any(spec.comparison.pooled for spec in wide_specs())


@pytest.mark.usefixtures("numba_costs_nothing")
def test_pooled_shards_run_on_the_cpu_and_have_keys_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    pooled = wide_specs(with_allocation(WIDE, device="auto"))
    assert all(spec.comparison.pooled and spec.comparison.device == "cpu" for spec in pooled)
    monkeypatch.setattr(pooling, "SETUP_OPERATIONS", float("inf"))
    products = wide_specs(with_allocation(WIDE, device="auto"))
    assert not any(spec.comparison.pooled or spec.comparison.device == "cpu" for spec in products)
    assert [spec.shard for spec in pooled] == [spec.shard for spec in products]
    assert not {spec.key for spec in pooled} & {spec.key for spec in products}


@pytest.mark.usefixtures("numba_costs_nothing")
def test_pooled_shards_are_the_same_where_aggregated_features_are_stored() -> None:
    assert wide_specs(with_allocation(WIDE, store_aggregated=True)) == wide_specs()


@pytest.mark.usefixtures("numba_costs_nothing")
def test_shards_on_a_gpu_are_not_pooled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(spec.comparison.pooled for spec in wide_specs(with_allocation(WIDE, device="cuda:1")))
    monkeypatch.setattr(planning, "device_type", lambda name: "cuda")
    assert not any(spec.comparison.pooled for spec in wide_specs(with_allocation(WIDE, device="auto")))


@pytest.mark.usefixtures("numba_costs_nothing")
def test_pooling_does_not_depend_on_how_the_lot_is_divided() -> None:
    layer = WIDE.backbone.layers[0]
    degrees = WIDE.settings.degrees
    small = shard_bytes(4, 19, layer.patch_count, layer.width, 1, False, degrees)
    divided = wide_specs(with_allocation(WIDE, memory_bytes=small))
    assert len(divided) > len(wide_specs())
    assert all(spec.comparison.pooled for spec in divided)
