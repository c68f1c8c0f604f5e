"""The keys of a lot's task specs change with what decides the result, and with nothing else."""

from dataclasses import replace

import pytest

from musc.layers import Layer
from musc.plan.shard_memory import shard_bytes
from musc.settings import Decisions
from planning.lot_job import LotJob
from planning.lot_specs import aggregate_specs, extract_specs, group_specs, run_spec, score_specs
from planning.resources import Allocation
from planning.task_specs import AggregateSpec, BlockRows, ExtractSpec, RunSpec, ScoreSpec, Spec
from storage.images.lots import ListedImage
from tests.flat import with_allocation
from tests.planning.small_lot import JOB, LAYER, LOT, contents, with_backbone, with_settings


def keys(job: LotJob = JOB, lot: list[ListedImage] = LOT, lot_key: str = "lot") -> dict[str, list[str]]:
    """The keys of every stage."""
    extracting = extract_specs(job, lot_key, lot)
    aggregating = aggregate_specs(job, extracting) if job.allocation.store_aggregated else []
    scoring = score_specs(job, extracting, aggregating, contents(lot))
    return {
        "features": [spec.key for spec in extracting],
        "aggregated": [spec.key for spec in aggregating],
        "patch_scores": [spec.key for spec in scoring],
        "run": [run_spec(job, lot_key, extracting, scoring).key],
    }


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, int]:
    """How many keys of each stage are new."""
    counts = {stage: len(set(after[stage]) - set(found)) for stage, found in before.items()}
    return {stage: count for stage, count in counts.items() if count}


KNOWN_KEYS = [
    "1bae6749e951d7330fd3f557b36bb787",
    "ed11a99bbbedf2e98e4512c4b0616a3f",
]
"""Of patch scores; with others, stores would be scored anew."""
ALL = {"features": 3, "patch_scores": 2, "run": 1}


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (with_backbone(weights_digest="digest-2"), ALL),
        (with_backbone(name="other"), ALL),
        (with_backbone(layers=(LAYER, Layer(3, (8, 8), 24))), ALL),
        (with_backbone(image_size=(72, 64)), ALL),
        (with_backbone(activation="gelu"), ALL),
        (with_backbone(position_antialias=True), ALL),
        (with_backbone(precision="float16"), ALL),
        (
            with_allocation(JOB, block_images=16),
            {"features": 1, "patch_scores": 2},
        ),
        (with_settings(degrees=(1, 5)), {"patch_scores": 2, "run": 1}),
        (with_settings(interval=(0.0, 0.2)), {"patch_scores": 2, "run": 1}),
        (with_settings(rscin_windows=(1, 8, 9)), {"run": 1}),
        (with_settings(references=5), {"patch_scores": 2, "run": 1}),
        (with_settings(match_radius=2), {"patch_scores": 2, "run": 1}),
        (replace(JOB, subsets=2), {"patch_scores": 4, "run": 1}),
        (
            with_allocation(JOB, store_aggregated=True),
            {"aggregated": 12},
        ),
        (replace(JOB, lot="noon"), {"run": 1}),
        (replace(JOB, category="lid"), {"run": 1}),
        (replace(JOB, decisions=Decisions(false_alarms=2.0)), {"run": 1}),
        (replace(JOB, decisions=Decisions(review_budget=7)), {"run": 1}),
        (replace(JOB, decisions=Decisions(threshold=0.25)), {"run": 1}),
        (replace(JOB, settings=JOB.settings.changed(exclude_groups=True)), {"run": 1}),
    ],
    ids=lambda value: None if isinstance(value, LotJob) else str(value),
)
def test_keys_change_with_what_decides_the_result(job: LotJob, expected: dict[str, int]) -> None:
    assert changed(keys(), keys(job)) == expected


@pytest.mark.parametrize(
    "job",
    [
        with_backbone(weights="/elsewhere/net.pt"),
        with_allocation(JOB, device="cuda:1"),
        replace(JOB, folder="/moved/photos"),
        replace(JOB, store="s3://bucket/out"),
        with_allocation(JOB, memory_bytes=10**10),
        with_settings(seed=3),
    ],
    ids=["weights", "device", "folder", "store", "memory", "unused_seed"],
)
def test_keys_do_not_change_with_where_and_how_it_runs(job: LotJob) -> None:
    assert keys(job) == keys()


@pytest.mark.parametrize("job", [with_settings(references=18), with_settings(match_radius=7)])
def test_patch_scores_are_found_again_where_a_setting_limits_nothing(job: LotJob) -> None:
    assert keys(job)["patch_scores"] == keys()["patch_scores"]


def test_run_is_known_before_any_work_and_however_the_work_is_divided() -> None:
    known = run_spec(JOB, "lot").key
    memory = shard_bytes(4, 19, LAYER.patch_count, LAYER.width)
    divided = replace(JOB, allocation=Allocation("cpu", memory, 16, store_aggregated=True))
    assert keys(divided)["patch_scores"] != keys()["patch_scores"]
    assert keys()["run"] == keys(divided)["run"] == [known]
    assert run_spec(JOB, "other lot").key != known


def test_keys_change_with_an_images_content_for_its_block_only() -> None:
    other = [*LOT[:17], replace(LOT[17], sha256="other"), LOT[18]]
    assert changed(keys(), keys(lot=other)) == {"features": 1, "patch_scores": 2}


def test_keys_change_with_the_order_of_images() -> None:
    assert changed(keys(), keys(lot=LOT[::-1])) == {name: count for name, count in ALL.items() if name != "run"}


def test_keys_of_features_do_not_change_with_names() -> None:
    renamed = [replace(image, path=f"night/{image.path}", image_id="x") for image in LOT]
    assert changed(keys(), keys(lot=renamed)) == {}
    assert changed(keys(), keys(lot=renamed, lot_key="renamed")) == {"run": 1}


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (ExtractSpec, {"features": 3, "aggregated": 12, "patch_scores": 2, "run": 1}),
        (AggregateSpec, {"aggregated": 12}),
        (ScoreSpec, {"patch_scores": 2, "run": 1}),
        (RunSpec, {"run": 1}),
    ],
)
def test_keys_change_with_the_algorithm_for_every_later_stage(
    stage: type[Spec], expected: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = with_allocation(JOB, store_aggregated=True)
    before = keys(job)
    monkeypatch.setattr(stage, "version", 99)
    assert changed(before, keys(job)) == expected


def test_keys_differ_within_a_run() -> None:
    found = [
        key for stage in keys(with_allocation(replace(JOB, subsets=2), store_aggregated=True)).values() for key in stage
    ]
    assert len(set(found)) == len(found)


def test_keys_of_a_plain_lot_stay_what_they_were() -> None:
    assert keys()["patch_scores"] == KNOWN_KEYS


def test_keys_change_with_the_seed_of_a_sample() -> None:
    first, second = with_settings(references=5), with_settings(references=5, seed=1)
    assert changed(keys(first), keys(second)) == {"patch_scores": 2, "run": 1}


def test_keys_change_with_references_of_earlier_lots() -> None:
    def made(*earlier: BlockRows) -> list[str]:
        extracting = extract_specs(JOB, "lot", LOT)
        return [spec.key for spec in score_specs(JOB, extracting, [], contents(LOT), earlier)]

    found = [made(), made(BlockRows("features/a", (1,))), made(BlockRows("features/a", (1, 2)))]
    assert found[0] == keys()["patch_scores"]
    assert len({key for of_one in found for key in of_one}) == 6


def test_scores_without_groups_have_keys_of_their_own() -> None:
    extracting = extract_specs(JOB, "lot", LOT)
    plain = score_specs(JOB, extracting, [], contents(LOT))
    (grouping,) = group_specs(JOB, plain)
    without = score_specs(JOB, extracting, [], contents(LOT), groups=grouping)
    assert not {spec.key for spec in plain} & {spec.key for spec in without}
    assert {spec.groups for spec in without} == {grouping.path}
