"""A lot's job divided into task specs: what each covers, reads and makes."""

from dataclasses import replace

import pytest

from musc.plan.shard_memory import shard_bytes
from planning.lot_job import LotJob
from planning.lot_specs import (
    aggregate_specs,
    extract_specs,
    group_specs,
    job_shards,
    layer_comparisons,
    run_spec,
    score_specs,
)
from planning.task_specs import BlockRows
from storage.errors import NoImagesError
from tests.flat import with_allocation
from tests.planning.small_lot import JOB, LAYER, LOT, contents, with_settings


def test_extract_specs_cover_the_lot_in_blocks() -> None:
    made = extract_specs(JOB, "lot", LOT)
    assert [(spec.start, spec.stop, spec.size) for spec in made] == [(0, 8, 8), (8, 16, 8), (16, 19, 3)]
    assert made[1].label == "cap 8-15"


def test_specs_make_artefacts_in_a_folder_of_their_stage() -> None:
    job = with_allocation(JOB, store_aggregated=True)
    extracting = extract_specs(job, "lot", LOT)
    aggregating = aggregate_specs(job, extracting)
    scoring = score_specs(job, extracting, aggregating, contents(LOT))
    assert extracting[0].path == f"features/{extracting[0].key}"
    assert aggregating[0].path == f"aggregated/{aggregating[0].key}"
    assert scoring[0].path == f"patch_scores/{scoring[0].key}"
    run = run_spec(job, "lot", extracting, scoring)
    assert run.path == f"runs/night-{run.key[:8]}"


def test_score_specs_read_the_aggregated_blocks_of_their_layer_at_each_degree() -> None:
    job = with_allocation(JOB, store_aggregated=True)
    extracting = extract_specs(job, "lot", LOT)
    aggregating = aggregate_specs(job, extracting)
    for spec in score_specs(job, extracting, aggregating, contents(LOT)):
        assert not spec.comparison.pooled
        assert len(spec.aggregated) == len(spec.comparison.degrees)
        for degree, blocks in zip(spec.comparison.degrees, spec.aggregated, strict=True):
            read = [made for made in aggregating if made.path in blocks]
            assert {(made.layer, made.degree) for made in read} == {(spec.shard.layer, degree)}
            assert [made.block for made in read] == [block.path for block in extracting]


def test_score_specs_without_aggregation_read_the_features() -> None:
    extracting = extract_specs(JOB, "lot", LOT)
    for spec in score_specs(JOB, extracting, [], contents(LOT)):
        assert not spec.aggregated
        assert spec.blocks == tuple(block.path for block in extracting)


def test_score_specs_of_subsets_stay_inside_them() -> None:
    memory = shard_bytes(4, 10, LAYER.patch_count, LAYER.width)
    job = replace(
        JOB,
        subsets=2,
        settings=JOB.settings.changed(degrees=(1,)),
        allocation=replace(JOB.allocation, memory_bytes=memory),
    )
    made = score_specs(job, extract_specs(job, "lot", LOT), [], contents(LOT))
    ranges = sorted({(spec.lot_range, (spec.shard.start, spec.shard.stop)) for spec in made})
    assert {lot_range for lot_range, _ in ranges} == {(0, 10), (10, 19)}
    for lot_range in ((0, 10), (10, 19)):
        queries = [image for of, (start, stop) in ranges if of == lot_range for image in range(start, stop)]
        assert queries == list(range(*lot_range))


def test_group_spec_reads_the_shards_of_one_layer_at_one_degree() -> None:
    memory = shard_bytes(7, 19, LAYER.patch_count, LAYER.width)
    job = with_allocation(JOB, memory_bytes=memory)
    scoring = score_specs(job, extract_specs(job, "lot", LOT), [], contents(LOT))
    (grouping,) = group_specs(job, scoring)
    assert {part.shard.layer for part in grouping.parts} == {0}
    assert grouping.degree == 3
    assert [image for part in grouping.parts for image in range(part.shard.start, part.shard.stop)] == list(range(19))
    assert grouping.path == f"groups/{grouping.key}"


def test_lot_in_subsets_has_no_groups() -> None:
    job = replace(JOB, subsets=2)
    assert group_specs(job, score_specs(job, extract_specs(job, "lot", LOT), [], contents(LOT))) == []


@pytest.mark.parametrize("image_count", [0, 1])
def test_score_specs_refuse_a_lot_too_small(image_count: int) -> None:
    with pytest.raises(NoImagesError, match=f"at least 2 images with usable features, got {image_count} in photos"):
        score_specs(JOB, extract_specs(JOB, "lot", LOT), [], contents(LOT[:image_count]))


def test_score_specs_refuse_what_does_not_fit_the_memory() -> None:
    with pytest.raises(MemoryError, match="raise --memory"):
        score_specs(
            with_allocation(JOB, memory_bytes=1000),
            extract_specs(JOB, "lot", LOT),
            [],
            contents(LOT),
        )


def test_score_specs_sample_within_each_subset() -> None:
    job = replace(with_settings(references=3), subsets=2)
    for spec in score_specs(job, extract_specs(job, "lot", LOT), [], contents(LOT)):
        assert spec.sample is not None
        assert len(set(spec.sample)) == 4
        assert all(spec.lot_range[0] <= image < spec.lot_range[1] for image in spec.sample)


def test_score_specs_take_a_lone_image_against_earlier_lots() -> None:
    extracting = extract_specs(JOB, "lot", LOT[:1])
    made = score_specs(JOB, extracting, [], contents(LOT[:1]), (BlockRows("features/a", (1,)),))
    assert {(spec.shard.start, spec.shard.stop) for spec in made} == {(0, 1)}
    assert run_spec(JOB, "lot", extracting, made).earlier == (BlockRows("features/a", (1,)),)


def test_job_shards_plan_memory_for_their_references() -> None:
    p, c = LAYER.patch_count, LAYER.width
    job = with_allocation(with_settings(references=5), memory_bytes=shard_bytes(19, 6 + 4, p, c))
    less = with_allocation(job, memory_bytes=job.allocation.memory_bytes - 1)
    all_others = replace(job, settings=JOB.settings)

    def shard_count(job: LotJob) -> int:
        return len(job_shards(job, (0, 19), layer_comparisons(job, 19, 4), 4))

    assert [shard_count(one) for one in (job, less)] == [2, 4]
    assert shard_count(all_others) > 2
