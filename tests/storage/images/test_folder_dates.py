"""Dates at the beginning of folders' names, however cameras and scripts write them."""

from datetime import date

import pytest

from storage.images.folder_dates import date_of


@pytest.mark.parametrize(
    "name",
    [
        "20261121",
        "20261121_0930",
        "20261121-093000",
        "20261121T093000Z",
        "202611210930",
        "20261121093000",
        "20261121093000123",
        "2026-11-21",
        "2026-11-21T0930",
        "2026-11-21T09:30:00+01:00",
        "2026-11-21_night-2",
        "2026_11_21 night",
        "2026_11_21_09_30_00",
        "2026.11.21",
        "2026 11 21",
        "2026:11:21 09:30:00",
        "21.11.2026",
        "21.11.2026 Nachtschicht",
        "2026年11月21日",
        "2026년 11월 21일 야간",
    ],
)
def test_name_that_begins_with_a_date_has_it(name: str) -> None:
    assert date_of(name) == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("2026-1-5", date(2026, 1, 5)), ("5.1.2026", date(2026, 1, 5)), ("2028-02-29", date(2028, 2, 29))],
)
def test_day_and_month_may_have_one_digit_between_signs(name: str, expected: date) -> None:
    assert date_of(name) == expected


@pytest.mark.parametrize(
    "name",
    ["2026-02-29", "2026-02-30", "2026-13-01", "20261301", "20260001_0930", "2026.11.31", "31.11.2026", "2026-0-1"],
)
def test_date_that_the_calendar_lacks_is_none(name: str) -> None:
    assert date_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "4711",
        "order-2026-11-21",
        "IMG_20261121",
        "202611210",
        "202611219930",
        "2026-11-210",
        "2026-1121",
        "2026-11_21",
        "2026-11",
        "2026-W47-6",
        "47110315",
        "19690720",
        "261121",
        "",
    ],
)
def test_number_that_is_no_date_is_none(name: str) -> None:
    assert date_of(name) is None
