"""Nights when clocks are changed: one each, whatever hour is skipped or comes twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

from planning.place import Place

CHANGES = {"spring": datetime(2027, 3, 28, tzinfo=UTC), "autumn": datetime(2026, 10, 25, tzinfo=UTC)}
"""The days on which clocks of Europe/Berlin go from 2 to 3, and from 3 to 2."""


def starts(cron: str, day: datetime) -> list[datetime]:
    """When nights begin on the day before, that day and the next, asked for one by one, as a server does."""
    zone, found = ZoneInfo(Place().timezone), [day - timedelta(days=1, hours=3)]
    for _ in range(3):
        schedule = CronSchedule(cron=cron, timezone=Place().timezone)
        found += asyncio.run(schedule.get_dates(n=1, start=found[-1].astimezone(UTC) + timedelta(seconds=1)))
    return [start.astimezone(zone) for start in found[1:]]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("cron", [Place().schedule, "30 2 * * *", "0 3 * * *"])
def test_one_night_begins_on_each_day(cron: str, change: str) -> None:
    begun = starts(cron, CHANGES[change])
    assert [start.day for start in begun] == [CHANGES[change].day + shift for shift in (-1, 0, 1)]


@pytest.mark.parametrize(("change", "hours"), [("spring", 23), ("autumn", 25)])
def test_nights_around_a_change_are_an_hour_closer_or_further_apart(change: str, hours: int) -> None:
    before, _, after = (start.astimezone(UTC) for start in starts(Place().schedule, CHANGES[change]))
    assert after - before == timedelta(hours=hours + 24)
    assert hours < Place().overdue, "or a night would be missed that is not"


def test_an_hour_that_is_skipped_is_made_up_for() -> None:
    assert [start.strftime("%H:%M") for start in starts("30 2 * * *", CHANGES["spring"])] == ["02:30", "03:30", "02:30"]
