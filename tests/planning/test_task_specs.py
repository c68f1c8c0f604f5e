"""Keys of specs and identities of jobs are computed from fields: each changes them, or is named in `not_in_key`."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import pytest
from pydantic import BaseModel

from musc.layers import BackboneSpec, Layer
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shards import Shard
from musc.settings import Decisions
from planning.lot_job import JudgedGood, KnownGood, LotJob, RegionOfInterest
from planning.resources import Allocation
from planning.sizes.kept_size import KeptSize
from planning.sizes.smallest_flaw import FlawSize
from planning.task_specs import AggregateSpec, EvaluateSpec, ExtractSpec, GroupSpec, RunSpec, ScoreSpec, Spec
from planning.tuning.choices import Choice
from planning.tuning.tuning_specs import TrialSpec, TuneSpec
from reports.page.run_files_specs import CausesSpec, ExportSpec, MapsSpec, ProfileSpec, ReportSpec
from tests.flat import chosen, job_of

LAYER = Layer(0, (8, 8), 24)
BACKBONE = BackboneSpec("net", "tag", "digest-1", (64, 64), (LAYER,), 48)
JOB = job_of(backbone=BACKBONE, allocation=Allocation("cpu", 10**9, 8))
FULL_JOB = replace(
    JOB,
    settings=chosen(backbone="net", references=5),
    judged_good=(JudgedGood("runs/a", ("1",)),),
    good=KnownGood("good", "listing", "contents"),
    smaller=(replace(BACKBONE, image_size=(32, 32)),),
    kept_sizes=(KeptSize((64, 96), "key", "as settled by an earlier lot"),),
    flaw_size=FlawSize(8, (900, 900), (320, 320), 128, "key", "chosen for flaws of 8 pixels"),
    region=RegionOfInterest("mask.png", each=False, patches="patches"),
)
"""Every field of it has a value."""
PLACE = ("source", "cap", "out")
OF_RUN = (*PLACE, "photos", "runs/night", "night")
SCORE = ScoreSpec(*PLACE, ("features/a",), LayerComparison(LAYER, (1, 3)), (0, 8), Shard(0, 0, 4), (0.0, 0.3))
SPECS: list[Spec] = [
    ExtractSpec(*PLACE, "photos", "lot", 0, 8, BACKBONE, "cpu"),
    AggregateSpec(*PLACE, "features/a", (8, 8), 0, 3, 1),
    SCORE,
    GroupSpec(*PLACE, (SCORE,), 3),
    RunSpec(*PLACE, JOB, "lot", ("features/a",), ((SCORE.shard, SCORE.path),)),
    EvaluateSpec(*PLACE, "mvtec_ad", "photos", "runs/night", "labels/cap"),
    ProfileSpec(*OF_RUN, "profiles/night", 8),
    CausesSpec(*OF_RUN, 0.05),
    ReportSpec(*OF_RUN, "profiles/night", ()),
    MapsSpec(*OF_RUN, "png", 8),
    ExportSpec(*OF_RUN, "csv"),
    CausesSpec(*OF_RUN),
    TrialSpec(*PLACE, JOB, "lot", (Choice(),)),
    TuneSpec(*PLACE, (Choice(),), (), Decisions()),
]


@dataclass(frozen=True)
class WeightedSpec(ScoreSpec):
    """A spec with one field more."""

    weight: float = 0.5


def other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case LotJob():
            return replace(value, subsets=value.subsets + 1)
        case bool():
            return not value
        case tuple():
            return (*value, *value[:1]) if value else ("other",)
        case int():
            return value + 1
        case _:
            return f"{value} other"


def with_one_other(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The name of each field, also within a field, and the same value with another one there."""
    is_model = isinstance(value, BaseModel)
    for name in type(value).model_fields if is_model else [field.name for field in fields(value)]:
        found = getattr(value, name)
        if isinstance(found, BaseModel) or (is_dataclass(found) and not isinstance(found, LotJob)):
            changed = list(with_one_other(found, f"{prefix}{name}."))
        elif isinstance(found, tuple) and found and isinstance(found[0], BackboneSpec):
            changed = [(path, (item,)) for path, item in with_one_other(found[0], f"{prefix}{name}.")]
        else:
            changed = [(prefix + name, other(found))]
        for path, item in changed:
            yield path, value.model_copy(update={name: item}) if is_model else replace(value, **{name: item})


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_every_field_changes_the_key_or_is_named(spec: Spec) -> None:
    unchanged = {path for path, changed in with_one_other(spec) if changed.key == spec.key}
    assert unchanged == spec.not_in_key


def test_every_spec_has_its_fields_tested() -> None:
    def below(kind: type[Spec]) -> set[type[Spec]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    made = {kind for kind in below(Spec) if hasattr(kind, "stage") and kind.__module__ != __name__}
    assert made == {type(spec) for spec in SPECS}


def test_field_added_to_a_spec_is_in_its_key() -> None:
    values = {field.name: getattr(SCORE, field.name) for field in fields(SCORE)}
    keys = [SCORE.key, WeightedSpec(**values).key, WeightedSpec(**values, weight=0.7).key]
    assert len(set(keys)) == 3


@dataclass(frozen=True)
class WeightedJob(LotJob):
    """A job with one field more."""

    weight: float = 0.5


@pytest.mark.parametrize(
    ("identity", "not_in_key"),
    [
        ("identity", LotJob.not_in_key),
        ("score_identity", LotJob.not_in_scores),
        ("raw_score_identity", LotJob.not_in_raw_scores),
    ],
)
def test_every_field_changes_the_identity_of_a_job_or_is_named(identity: str, not_in_key: frozenset[str]) -> None:
    own = getattr(FULL_JOB, identity)
    unchanged = {path for path, changed in with_one_other(FULL_JOB) if getattr(changed, identity) == own}
    named = {name for path in unchanged for name in not_in_key if path == name or path.startswith(f"{name}.")}
    assert not {path for path in unchanged if not any(path == name or path.startswith(f"{name}.") for name in named)}
    assert named == not_in_key


def test_field_added_to_a_job_is_in_its_identity() -> None:
    values = {field.name: getattr(JOB, field.name) for field in fields(JOB)}
    first, second = WeightedJob(**values), WeightedJob(**values, weight=0.7)
    assert first.score_identity != second.score_identity
    assert first.raw_score_identity != second.raw_score_identity
    assert replace(SPECS[4], job=first).key != replace(SPECS[4], job=second).key


def test_seed_is_in_the_identity_of_jobs_that_draw_only() -> None:
    def reseeded(job: LotJob) -> LotJob:
        return replace(job, settings=job.settings.changed(seed=7))

    assert reseeded(JOB).score_identity == JOB.score_identity
    for job in (FULL_JOB, replace(JOB, subsets=2)):
        assert reseeded(job).score_identity != job.score_identity


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_key_changes_with_the_stage_and_its_version(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [spec.key]
    for name, value in (("version", 99), ("stage", "other")):
        monkeypatch.setattr(type(spec), name, value)
        keys.append(replace(spec).key)
    assert len(set(keys)) == 3
