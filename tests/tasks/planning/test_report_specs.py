"""Series of runs: compared for drift are those whose raw scores were made alike."""

from dataclasses import replace
from typing import Any

import pytest

from musc.backbones import BackboneSpec
from musc.decisions.rule import DecisionRule
from musc.layers import Layer
from musc.settings import Settings
from tasks.planning.job import LotJob
from tasks.planning.report_specs import series_of

SETTINGS = Settings(backbone="net", degrees=(1, 3))
JOB = LotJob(
    folder="photos/monday",
    store="out",
    lot="monday",
    category="cap",
    settings=SETTINGS,
    backbone=BackboneSpec("net", "tag", "digest-1", (64, 64), (Layer(0, (8, 8), 24), Layer(2, (8, 8), 24)), 48),
    device="cpu",
    memory_bytes=10**9,
    block_images=8,
    store_aggregated=False,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"category": "lid"},
        {"backbone": replace(JOB.backbone, weights_digest="digest-2")},
        {"settings": replace(SETTINGS, degrees=(1,))},
        {"settings": replace(SETTINGS, interval=(0.0, 0.5))},
        {"settings": replace(SETTINGS, references=20)},
        {"settings": replace(SETTINGS, match_radius=2)},
        {"subsets": 2},
        {"exclude_groups": True},
        {"references_from": ("runs/sunday",)},
    ],
)
def test_runs_scored_differently_are_of_another_series(changes: dict[str, Any]) -> None:
    assert series_of(replace(JOB, **changes)) != series_of(JOB)


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": "photos/tuesday", "lot": "tuesday"},
        {"memory_bytes": 10**8, "block_images": 16, "store_aggregated": True},
        {"settings": replace(SETTINGS, rscin_windows=(1, 8))},
        {"decision_rule": DecisionRule(threshold=0.4)},
    ],
)
def test_nights_of_one_product_are_one_series(changes: dict[str, Any]) -> None:
    assert series_of(replace(JOB, **changes)) == series_of(JOB)


def test_nights_with_other_earlier_runs_as_references_are_one_series() -> None:
    monday, tuesday = (replace(JOB, references_from=(run,)) for run in ("runs/sunday", "runs/monday"))
    assert series_of(monday) == series_of(tuesday)
