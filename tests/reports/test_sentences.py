"""What a decision says in words."""

from typing import Any

import pytest

from musc.decisions.decision_words import Basis
from reports.run_record import DecisionRecord
from reports.sentences import headline, thresholds
from tests.flat import job_of, record_of


def decision(**changes: Any) -> DecisionRecord:
    return record_of(job_of()).decision.model_copy(update=changes)


@pytest.mark.parametrize(
    ("flagged", "suspect", "said"),
    [
        (5, 3, "Look at 8 of 1,200 images: 5 flagged, 3 suspect"),
        (5, 0, "Look at 5 of 1,200 images: all flagged"),
        (1, 0, "Look at 1 of 1,200 images: it is flagged"),
        (0, 3, "Look at 3 of 1,200 images: all suspect, none flagged"),
        (0, 1, "Look at 1 of 1,200 images: it is suspect, none flagged"),
        (0, 0, "None of 1,200 images is flagged or suspect"),
    ],
)
def test_headline_says_what_is_to_be_looked_at(flagged: int, suspect: int, said: str) -> None:
    assert headline(decision(flagged_count=flagged, suspect_count=suspect), 1200) == said


def test_headline_does_not_speak_of_suspects_where_nobody_wants_them() -> None:
    assert headline(decision(suspects=0.0), 12) == "None of 12 images is flagged"


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 image scored, too few to judge"), (7, "7 images scored, too"), (8, "None of 8 images")]
)
def test_headline_does_not_judge_too_few_images(count: int, said: str) -> None:
    assert headline(decision(), count).startswith(said)


def test_few_images_are_judged_by_what_is_known_beside_them() -> None:
    assert headline(decision(flag_basis=Basis.GOOD, flagged_count=1), 1) == "Look at 1 of 1 image: it is flagged"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"threshold": 0.5, "suspect_threshold": 0.4, "reference_count": 83},
            "Flagged from a raw score of 0.5000 on; suspect from 0.4000 on, found from the 83 parts of the lot itself.",
        ),
        (
            {"suspect_threshold": 0.4, "reference_count": 120, "basis": Basis.NIGHTS},
            "Suspect from 0.4000 on, found from 120 parts of earlier nights.",
        ),
        (
            {
                "threshold": 0.5,
                "flag_basis": Basis.GIVEN,
                "suspect_threshold": 0.4,
                "reference_count": 1,
                "basis": Basis.GOOD,
            },
            "Flagged from a raw score of 0.5000 on, as given; suspect from 0.4000 on, found from 1 part known",
        ),
        (
            {"threshold": 0.5, "flag_basis": Basis.GIVEN, "suspect_threshold": 0.5},
            "Flagged from a raw score of 0.5000 on, as given.",
        ),
        (
            {"threshold": 0.5, "suspect_threshold": 0.5, "reference_count": 9},
            "Flagged from a raw score of 0.5000 on, found from the 9 parts",
        ),
        ({"reference_count": 9}, "No threshold, found from the 9 parts of the lot itself."),
    ],
)
def test_thresholds_say_from_how_many_parts_they_come(changes: dict[str, Any], said: str) -> None:
    assert thresholds(decision(**changes)).startswith(said)
