"""Series of runs: compared for drift are those whose raw scores were made alike."""

from dataclasses import replace
from typing import Any

import pytest

from musc.settings import Decisions
from planning.resources import Allocation
from reports.notices import series_of
from tests.flat import chosen, job_of

SETTINGS = chosen(backbone="net", degrees=(1, 3))
JOB = job_of(folder="photos/monday", lot="monday", settings=SETTINGS, allocation=Allocation("cpu", 10**9, 8))


@pytest.mark.parametrize(
    "changes",
    [
        {"category": "lid"},
        {"backbone": replace(JOB.backbone, weights_digest="digest-2")},
        {"settings": SETTINGS.changed(degrees=(1,))},
        {"settings": SETTINGS.changed(interval=(0.0, 0.5))},
        {"settings": SETTINGS.changed(references=20)},
        {"settings": SETTINGS.changed(match_radius=2)},
        {"subsets": 2},
        {"settings": SETTINGS.changed(exclude_groups=True)},
        {"settings": SETTINGS.changed(references_from=("runs/sunday",))},
    ],
)
def test_runs_scored_differently_are_of_another_series(changes: dict[str, Any]) -> None:
    assert series_of(replace(JOB, **changes)) != series_of(JOB)


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": "photos/tuesday", "lot": "tuesday"},
        {"allocation": Allocation("cpu", 10**8, 16, store_aggregated=True)},
        {"settings": SETTINGS.changed(rscin_windows=(1, 8))},
        {"decisions": Decisions(threshold=0.4)},
    ],
)
def test_nights_of_one_product_are_one_series(changes: dict[str, Any]) -> None:
    assert series_of(replace(JOB, **changes)) == series_of(JOB)


def test_nights_with_other_earlier_runs_as_references_are_one_series() -> None:
    monday, tuesday = (
        replace(JOB, settings=SETTINGS.changed(references_from=(run,))) for run in ("runs/sunday", "runs/monday")
    )
    assert series_of(monday) == series_of(tuesday)
