"""Views of a lot: filters, order and addresses."""

import unicodedata
from typing import Literal

import pandas as pd
import pytest

from web.view_query import Query, chosen

TABLE = pd.DataFrame(
    {
        "image_id": ["1", "2", "3", "4"],
        "path": ["b.png", "a.png", "x/c.png", "d[1].png"],
        "raw_score": [0.4, 0.9, 0.4, 0.1],
        "rank": [2, 1, 3, 4],
        "decision": ["suspect", "flagged", "accepted", "accepted"],
        "verdict": ["", "defective", "good", ""],
        "kind": ["", "Größe", "", ""],
        "severity": ["", "major", "", ""],
        "looked": [False, True, False, False],
        "differs": [False, True, False, False],
        "group": [0, 1, 1, 0],
        "brightness": [0.5, None, 0.2, 0.9],
        "sharpness": [1.0, 2.0, 3.0, 4.0],
    }
)


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({}, "2134"),
        ({"order": "asc"}, "4132"),
        ({"sort": "name", "order": "asc"}, "2143"),
        ({"sort": "brightness", "order": "asc"}, "3142"),
        ({"sort": "brightness"}, "4132"),
        ({"decision": "flagged"}, "2"),
        ({"decision": "suspect"}, "1"),
        ({"decision": "listed"}, "21"),
        ({"sort": "decision"}, "2143"),
        ({"sort": "decision", "order": "asc"}, "4312"),
        ({"verdict": "none"}, "14"),
        ({"verdict": "good"}, "3"),
        ({"verdict": "unseen"}, "3"),
        ({"verdict": "differs"}, "2"),
        ({"kind": unicodedata.normalize("NFD", "Größe")}, "2"),
        ({"kind": "-"}, ""),
        ({"kind": "none"}, ""),
        ({"severity": "major"}, "2"),
        ({"severity": "minor"}, ""),
        ({"group": "1"}, "23"),
        ({"group": "none"}, "14"),
        ({"group": "x"}, ""),
        ({"name": "X/C"}, "3"),
        ({"name": "[1]"}, "4"),
        ({"name": "("}, ""),
        ({"low": "0.4"}, "213"),
        ({"low": "0,4", "high": "0.5"}, "13"),
        ({"low": "many"}, "2134"),
        ({"low": "nan", "high": "inf"}, "2134"),
        ({"sort": "'; drop"}, "2134"),
    ],
)
def test_views_show_what_they_say(given: dict[str, str], ids: str) -> None:
    assert "".join(chosen(TABLE, Query.of(given))["image_id"]) == ids


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["Gehäuse", "GEHÄUSE", "häu", "geha\u0308use"])
def test_names_are_found_in_whichever_normal_form_they_are(form: Literal["NFC", "NFD"], typed: str) -> None:
    table = TABLE.assign(
        path=[unicodedata.normalize(form, name) for name in ("Gehäuse.png", "Haus.png", "Gehause", "x")]
    )
    assert chosen(table, Query(name=typed))["image_id"].tolist() == ["1"]


KINDS = TABLE.assign(kind=["", "dent", "Aging", "chip"], severity=["", "minor", "critical", "major"])


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"sort": "kind", "order": "asc"}, "3421"),
        ({"sort": "kind"}, "2431"),
        ({"sort": "severity"}, "3421"),
        ({"sort": "severity", "order": "asc"}, "2431"),
    ],
)
def test_images_without_kind_or_severity_come_last_in_either_order(given: dict[str, str], ids: str) -> None:
    assert "".join(chosen(KINDS, Query.of(given))["image_id"]) == ids
    assert chosen(TABLE.assign(kind="", severity=""), Query.of(given))["image_id"].tolist() == ["2", "1", "4", "3"]


def test_address_holds_what_differs_from_the_default() -> None:
    assert Query().address() == "view=grid", "an empty one would be what a lot opens on"
    query = Query.of({"name": "a b&c", "page": "3", "unknown": "x"})
    assert query.address() == "name=a+b%26c&page=3"
    assert query.address(page="1", view="table") == "name=a+b%26c&view=table"


@pytest.mark.parametrize(("page", "number"), [("1", 1), ("7", 7), ("0", 1), ("-1", 1), ("x", 1), ("9" * 50, 1)])
def test_page_numbers_are_whole(page: str, number: int) -> None:
    assert Query.of({"page": page}).page_number == number


def test_choosing_an_order_again_turns_it_round() -> None:
    query = Query().by("name")
    assert (query.sort, query.order) == ("name", "asc")
    assert query.by("name").order == "desc"
    assert query.by("score").order == "desc"
