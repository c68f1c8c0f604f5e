"""What a night says: short, each thing once, and with room for years of lots."""

from dataclasses import replace

import pytest

from planning.nights.outcomes import LotOutcome, Night, Status
from planning.task_results import Contributed
from reports.night_lines import (
    FINISHED_SHOWN,
    WARNINGS_SHOWN,
    advice_lines,
    contribution_lines,
    finished_lines,
    first_clause,
    left_out_lines,
    lot_line,
)
from storage.images.lot_tree import FoundLot, LeftOut


def outcome(name: str = "1", category: str = "cap", **facts: object) -> LotOutcome:
    found = FoundLot(category, f"lots/{category}/{name}", name, None)
    return replace(LotOutcome(found, Status.SCORED, images=40, flagged=2, suspect=3, page=f"/out/{name}.html"), **facts)


def night(*outcomes: LotOutcome, left_out: tuple[LeftOut, ...] = ()) -> Night:
    return Night("lots", outcomes, left_out)


def test_line_of_a_scored_lot_has_counts_and_its_page() -> None:
    whole = outcome(warnings=("Dim.",), left_out="1 duplicate")
    assert lot_line(whole) == "cap-1: 40 images: 2 flagged, 3 suspect, 1 warning, not scored: 1 duplicate; /out/1.html"


def test_line_of_a_lot_finished_before_says_what_it_got() -> None:
    before = outcome(status=Status.FINISHED, created=("page", "maps"))
    assert (
        lot_line(before)
        == "cap-1: finished before, 40 images: 2 flagged, 3 suspect, page and maps made now; /out/1.html"
    )


@pytest.mark.parametrize("status", [Status.TOO_SMALL, Status.FAILED])
def test_line_of_a_lot_without_a_result_has_the_reason(status: Status) -> None:
    assert lot_line(outcome(status=status, reason="planted")) == f"cap-1: {status}: planted"


def test_years_of_finished_lots_are_counted() -> None:
    years = night(*(outcome(str(number), status=Status.FINISHED) for number in range(700)))
    lines = finished_lines(years)
    assert len(lines) == FINISHED_SHOWN + 1
    assert lines[-2].startswith("cap-699: ")
    assert lines[-1] == "695 more were finished before"


def test_same_warning_of_several_lots_is_said_once_in_short() -> None:
    dim = ("The photographs are darker than usual: check lamps (brightness: 0.1).",)
    lines = advice_lines(night(*(outcome(str(number), warnings=dim * 2) for number in range(5))))
    assert lines == [
        "Warnings, in full on the pages of the lots:",
        "  The photographs are darker than usual: cap-0, cap-1, cap-2 and 2 more",
    ]


def test_hint_of_several_lots_is_said_once() -> None:
    lines = advice_lines(
        night(outcome("1", hints=("give --tile",)), outcome("2", hints=("give --tile",)), outcome("3"))
    )
    assert lines == ["Hint: cap-1, cap-2: give --tile"]


def test_warnings_of_many_kinds_are_cut() -> None:
    lines = advice_lines(night(outcome(warnings=tuple(f"{number} images." for number in range(50)))))
    assert len(lines) == 2 + WARNINGS_SHOWN
    assert lines[-1] == f"  and {50 - WARNINGS_SHOWN} others"


@pytest.mark.parametrize(
    ("warning", "short"),
    [
        ("All images look the same: no place.", "All images look the same"),
        ("12 of 20 images look anomalous. Mutual scoring assumes", "12 of 20 images look anomalous"),
        ("More images than usual stand out (raw score that 90 %: 0.1).", "More images than usual stand out"),
        ("From a raw score of 0.1234, all are flagged.", "From a raw score of 0.1234, all are flagged"),
        ("No sign", "No sign"),
    ],
)
def test_headline_is_the_first_clause(warning: str, short: str) -> None:
    assert first_clause(warning) == short


def test_problems_beside_the_scores_are_said_once() -> None:
    lines = advice_lines(night(*(outcome(name, problems=("the maps are lost",)) for name in "12")))
    assert lines == ["problem: cap-1, cap-2: the maps are lost"]


def test_what_is_no_lot_is_said_by_reason() -> None:
    left_out = tuple(LeftOut(f"{number}.png", "a file outside any lot") for number in range(300))
    assert left_out_lines(night(outcome(), left_out=left_out)) == [
        "no lot: 0.png, 1.png, 2.png and 297 more: a file outside any lot"
    ]


def test_root_without_lots_is_said() -> None:
    assert left_out_lines(night()) == ["no lot lies below lots; lots are folders <category>/<date> of images"]


def test_contributions_are_one_line_with_the_latest_of_each_product() -> None:
    given = [Contributed(judged_good=1, ignored=0), Contributed(judged_good=12, ignored=0)]
    lots = [*(outcome(contributed=one) for one in given), outcome(category="nut", contributed=Contributed(ignored=1))]
    assert contribution_lines(lots) == [
        "From the site: cap: 12 good references, no place drawn to be ignored yet; nut: 1 place ignored"
    ]
    assert contribution_lines([outcome()]) == []
