"""What the overview computes for each night, counted: a new night is not a reason to compare all others again."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from reports.unusual_nights import MeasureComparison
from storage.results.profiles import Profile
from web import nights as module
from web.nights import StoredRun, UnusualNights
from web.overview import OverviewNight, Product, calendar

TOKEN = tuple(np.ones(3).tolist())


def run_of(series: str, night: int, brightness: float = 0.5) -> StoredRun:
    """A run with a profile and without a record, which no comparison needs."""
    numbers = dict.fromkeys(("flagged_rate", "score_median", "score_p90", "score_p99", "sharpness"), 0.5)
    names = {"run": f"runs/{series}-{night}", "lot": f"{series}-{night}", "listing": f"{series} {night}"}
    profile = Profile(
        path=f"profiles/{series}/{night:04d}",
        recorded="2026-11-20",
        image_count=9,
        flagged_count=0,
        mean_class_token=TOKEN,
        brightness=brightness,
        **names,
        **numbers,
    )
    return StoredRun(f"{series}-{night}", cast(Any, None), profile, has_report=False)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs that were compared with earlier ones, since the list was cleared."""
    found: list[str] = []
    compare = module.compare

    def counted(tonight: Profile, earlier: Sequence[Profile]) -> list[MeasureComparison]:
        found.append(tonight.run)
        return compare(tonight, earlier)

    monkeypatch.setattr(module, "compare", counted)
    return found


def test_new_night_alone_is_compared(compared: list[str]) -> None:
    runs = [run_of(series, night) for series in ("bolt", "nut") for night in range(20)]
    library = UnusualNights()
    library.of(runs)
    assert len(compared) == len(runs)
    compared.clear()
    library.of([*runs, run_of("bolt", 20)])
    assert compared == ["runs/bolt-20"]


def test_night_that_was_missed_has_the_later_ones_compared_again(compared: list[str]) -> None:
    runs = [run_of("bolt", night, 0.9 if night == 9 else 0.5) for night in range(12) if night != 5]
    library = UnusualNights()
    library.of(runs)
    compared.clear()
    found = library.of([*runs, run_of("bolt", 5)])
    assert compared == [f"runs/bolt-{night}" for night in range(5, 12)]
    assert found == UnusualNights().of([*runs, run_of("bolt", 5)])
    assert [one.measure.name for one in found["bolt-9"]] == ["brightness"]


def test_calendar_looks_at_each_night_a_few_times_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    class Night:
        def __init__(self, day: int) -> None:
            self.day = day

        @property
        def date(self) -> str:
            looked.append(self.day)
            return f"2026-11-{self.day:02d}"

    days = range(1, 29)
    products = [
        Product(name, cast("tuple[OverviewNight, ...]", tuple(map(Night, days))), cast(Any, None), (), ())
        for name in ("bolt", "nut")
    ]
    shown = calendar(products)
    assert [date for date, _ in shown] == [f"2026-11-{day:02d}" for day in reversed(days)]
    assert all([len(of_product) for of_product in row] == [1, 1] for _, row in shown)
    assert len(looked) <= 2 * len(days) * len(products)
