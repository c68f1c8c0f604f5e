"""The projected cost of a job adds up what its stages will store and compute."""

from dataclasses import replace

from musc.layers import Layer
from musc.plan.cost import pair_count
from musc.plan.shard_memory import shard_bytes
from planning.estimates.operations_and_bytes import cost_rows, project_cost, shapes_line
from planning.resources import Allocation
from tests.flat import chosen, job_of, with_allocation

N, P, C, D = 19, 64, 24, 48
JOB = job_of(settings=chosen(backbone="net", degrees=(1, 3, 5)), allocation=Allocation("cpu", 10**9, 8))
FEATURES = 2 * N * P * C * 2
OTHERS = N * D * 4 + 2 * N * P * 4
PAIRS = N * (N - 1) / 2 * 2 * P**2 * C


def test_forecast_stores_features_once_and_again_for_each_degree_kept() -> None:
    assert project_cost(JOB, N).stored_bytes == FEATURES + OTHERS
    assert project_cost(with_allocation(JOB, store_aggregated=True), N).stored_bytes == (1 + 3 * 2) * FEATURES + OTHERS


def test_forecast_counts_every_shard_and_the_search_for_groups() -> None:
    assert project_cost(JOB, N).operations == (6 + 1) * PAIRS


def test_forecast_with_groups_taken_out_counts_the_second_pass_and_the_mask() -> None:
    cost = project_cost(replace(JOB, settings=JOB.settings.changed(exclude_groups=True)), N)
    assert cost.operations == (2 * 6 + 1) * PAIRS
    assert cost.peak_bytes == shard_bytes(N, N, P, C, masked=True) > project_cost(JOB, N).peak_bytes


def test_forecast_of_several_sizes_adds_them_up_and_searches_groups_at_the_largest() -> None:
    small = replace(JOB.backbone, image_size=(32, 32), layers=(Layer(0, (4, 4), C),))
    settings = JOB.settings.changed(image_size=((32, 32), (64, 64)))
    both = project_cost(replace(JOB, settings=settings, smaller=(small,)), N)
    alone, little = project_cost(JOB, N), project_cost(replace(JOB, backbone=small), N)
    assert both.layers == (*little.layers, *alone.layers)
    assert both.stored_bytes == little.stored_bytes + alone.stored_bytes
    assert both.peak_bytes == max(little.peak_bytes, alone.peak_bytes)
    assert (both.block_count, both.shard_count) == (2 * alone.block_count, little.shard_count + alone.shard_count)
    search = N * (N - 1) / 2 * 2 * (4 * 4) ** 2 * C
    assert both.operations == alone.operations + little.operations - search


def test_forecast_of_a_sample_searches_no_groups() -> None:
    sampled = replace(JOB, settings=JOB.settings.changed(references=5))
    found = project_cost(sampled, N, 4)
    assert found.reference_count == 5 + 4
    assert found.operations == 6 * pair_count(N, N, 6, 4) * 2 * P**2 * C


UNEVEN = (Layer(1, (8, 8), C), Layer(2, (4, 4), 2 * C), Layer(3, (4, 4), 2 * C))


def test_forecast_searches_groups_in_the_middle_layer() -> None:
    fine, coarse = (N * (N - 1) / 2 * 2 * layer.patch_count**2 * layer.width for layer in UNEVEN[:2])
    cost = project_cost(replace(JOB, backbone=replace(JOB.backbone, layers=UNEVEN)), N)
    assert cost.layer_operations == (3 * fine, (3 + 1) * coarse, 3 * coarse)


def test_shapes_of_layers_alike_are_named_once() -> None:
    assert shapes_line(UNEVEN) == "64 of width 24, 16 of width 48"


def test_forecast_counts_the_images_that_are_read() -> None:
    assert project_cost(JOB, N).layer_reads == (N, N)
    assert project_cost(JOB, N, 4).layer_reads == (N + 4, N + 4)


def test_forecast_calls_tiles_tiles() -> None:
    job = replace(JOB, settings=JOB.settings.changed(tile=64))
    texts = {row["what"]: row["how much"] for row in cost_rows(project_cost(job, 160, layout=(2, 8)), job)}
    assert texts["images"] == "10, scored as 160 tiles"
    assert texts["references of each tile"] == "9"
    assert texts["patches per tile"] == f"{P} of width {C}"
    assert "patches per image" not in texts
