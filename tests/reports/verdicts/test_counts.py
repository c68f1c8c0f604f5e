"""What verdicts say of a run, and which runs they say it together."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from reports.verdicts.counts import VerdictCounts, calibration_of, count_verdicts, scored_alike
from reports.verdicts.known_good import good_image_ids
from storage.results.verdicts import COLUMNS
from tests.flat import job_of, record_of


def table(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Verdicts of (image id, decision, verdict, raw score), in their order."""
    values = [
        {
            "verdict_id": str(number),
            "image_id": image,
            "decision": decision,
            "verdict": said,
            "raw_score": score,
            "looked": True,
            "undone_by": "",
        }
        for number, (image, decision, said, score) in enumerate(rows)
    ]
    return pd.DataFrame(values, columns=list(COLUMNS))


def test_verdicts_are_counted_by_what_the_run_had_said() -> None:
    found = count_verdicts(
        table(
            ("a", "flagged", "good", 0.9),
            ("a", "flagged", "defective", 0.9),
            ("b", "flagged", "good", 0.8),
            ("c", "flagged", "unsure", 0.7),
            ("d", "accepted", "defective", 0.2),
            ("e", "accepted", "good", 0.1),
            ("f", "flagged", "withdrawn", 0.6),
        )
    )
    assert found == VerdictCounts(defective=2, good=2, unsure=1, right=1, wrong=1, missed=1)
    assert (found.count, found.precision) == (5, 0.5)


def test_verdicts_without_a_look_are_judged_but_no_evidence() -> None:
    verdicts = table(("a", "flagged", "defective", 0.9), ("b", "accepted", "good", 0.1), ("c", "accepted", "good", 0.2))
    verdicts.loc[1:, "looked"] = False
    found = count_verdicts(verdicts)
    assert (found.count, found.good, found.defective, found.unseen) == (3, 0, 1, 2)
    named = verdicts.assign(run="runs/a", category="cap", sha256=["x", "y", "z"], time=["1", "2", "3"])
    assert good_image_ids({"runs/a": named}, "cap") == {}
    assert good_image_ids({"runs/a": named.assign(looked=True)}, "cap") == {"runs/a": ("b", "c")}


def test_nothing_judged_has_no_precision() -> None:
    assert count_verdicts(table()).precision is None
    assert count_verdicts(table(("a", "accepted", "good", 0.1))).precision is None


def test_runs_add_up() -> None:
    assert VerdictCounts(1, 2, 3, 1, 1, 0) + VerdictCounts(defective=1, right=1) == VerdictCounts(2, 2, 3, 2, 1, 0)


def test_calibration_takes_clear_verdicts_of_all_runs() -> None:
    low = table(*((f"g{number}", "accepted", "good", 0.3 + number / 100) for number in range(12)))
    high = table(*((f"b{number}", "flagged", "defective", 0.6 + number / 100) for number in range(12)))
    unsure = table(*((f"u{number}", "flagged", "unsure", 0.9) for number in range(12)))
    calibration, total = calibration_of([low, high, unsure])
    assert calibration is not None
    assert (calibration.good_count, calibration.defective_count) == (12, 12)
    assert (total.good, total.defective, total.unsure) == (12, 12, 12)
    assert calibration_of([low])[0] is None
    assert calibration_of([]) == (None, VerdictCounts())


JOB = job_of()


@pytest.mark.parametrize(
    ("changes", "alike"),
    [
        ({"backbone": replace(JOB.backbone, weights="/elsewhere")}, True),
        ({"settings": JOB.settings.changed(rscin_windows=(1, 2))}, True),
        ({"settings": JOB.settings.changed(references_from=("runs/x",))}, True),
        ({"folder": "elsewhere", "lot": "tuesday"}, True),
        ({"backbone": replace(JOB.backbone, weights_digest="e")}, False),
        ({"settings": JOB.settings.changed(degrees=(1,))}, False),
        ({"category": "lid"}, False),
        ({"subsets": 2}, False),
    ],
)
def test_runs_are_alike_where_raw_scores_can_be_compared(changes: dict[str, Any], alike: bool) -> None:
    other = record_of(replace(JOB, **changes))
    assert (scored_alike(other) == scored_alike(record_of(JOB))) == alike
