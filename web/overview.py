"""The overview: every product and night of a store, and what has no result yet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from storage.images.lot_tree import date_of
from tasks.reporting.drift import MOST_EARLIER, Compared, compare, number
from tasks.results.judged import Judged, judge
from web.charts import Chart, chart
from web.library import StoredRun


@dataclass(frozen=True)
class Night:
    """One run of a product."""

    run: StoredRun
    date: str
    """Of the lot, if its name says one; else the day it was scored."""
    judged: Judged
    unusual: tuple[Compared, ...]
    """Measures unlike the nights before."""

    @property
    def record(self) -> dict[str, Any]:
        return self.run.record

    @property
    def image_count(self) -> int:
        return int(self.record["images"].get("ok", 0))

    @property
    def left_out_count(self) -> int:
        return sum(self.record["images"].values()) - self.image_count

    @property
    def flagged_count(self) -> int:
        return int(self.record["decision"]["flagged_count"])

    @property
    def flagged_rate(self) -> float:
        return self.flagged_count / max(1, self.image_count)

    @property
    def own_warnings(self) -> list[str]:
        """Warnings of the run and sentences about what is unusual."""
        return [*self.record["warnings"], *(one.warning for one in self.unusual)]


@dataclass(frozen=True)
class Product:
    """All runs of one category, newest first."""

    category: str
    nights: tuple[Night, ...]
    judged: Judged
    charts: tuple[Chart, ...]


def products_of(runs: Mapping[str, StoredRun], verdicts: Mapping[str, pd.DataFrame]) -> list[Product]:
    """Every product with its nights, by name.

    Args:
        runs: every complete run.
        verdicts: every verdict by path of the run.
    """
    unusual = unusual_of(list(runs.values()))
    of_category = defaultdict(list)
    for run in runs.values():
        judged = judge(verdicts[run.path]) if run.path in verdicts else Judged()
        night = Night(run, night_of(run.record), judged, unusual.get(run.name, ()))
        of_category[str(run.record["category"])].append(night)
    return [product(category, nights) for category, nights in sorted(of_category.items())]


def product(category: str, nights: Sequence[Night]) -> Product:
    """One product: its nights in order, their sum, and their charts."""
    newest = sorted(nights, key=lambda night: (night.date, night.record["recorded"]), reverse=True)
    judged = sum((night.judged for night in newest), Judged())
    return Product(category, tuple(newest), judged, tuple(charts_of(newest[::-1])))


def night_of(record: Mapping[str, Any]) -> str:
    """The date at the beginning of a lot's name, the product left out; else the day the run was recorded.

    >>> night_of({"lot": "cap-2026-11-21_b", "category": "cap", "recorded": "2026-11-25T01:02:03"})
    '2026-11-21'
    """
    found = date_of(str(record["lot"]).removeprefix(f"{record['category']}-"))
    return found.isoformat() if found else str(record["recorded"])[:10]


def unusual_of(runs: Sequence[StoredRun]) -> dict[str, tuple[Compared, ...]]:
    """What is unusual about each run beside the earlier ones scored in the same way, by its name."""
    of_series = defaultdict(list)
    for run in runs:
        if run.profile is not None:
            of_series[run.profile_path.rpartition("/")[0]].append(run)
    found: dict[str, tuple[Compared, ...]] = {}
    for series in of_series.values():
        earlier: dict[str, dict[str, Any]] = {}
        for run in sorted(series, key=lambda run: (night_of(run.record), run.profile_path)):
            profile = dict(run.profile or {})
            others = [known for listing, known in earlier.items() if listing != profile["listing"]]
            found[run.name] = tuple(one for one in compare(profile, others[-MOST_EARLIER:]) if one.verdict == "unusual")
            earlier.pop(profile["listing"], None)
            earlier[profile["listing"]] = profile
    return found


def charts_of(nights: Sequence[Night]) -> list[Chart]:
    """How a product went, night by night; oldest first."""
    labels = [night.date for night in nights]

    def measure(name: str) -> list[float | None]:
        values = [number(night.run.profile or {}, name) for night in nights]
        return [None if value != value else value for value in values]

    return [
        chart("flagged, %", labels, {"flagged": [100 * night.flagged_rate for night in nights]}, from_zero=True),
        chart(
            "raw scores",
            labels,
            {"half": measure("score_median"), "90 %": measure("score_p90"), "99 %": measure("score_p99")},
        ),
        chart("brightness, 0 to 1", labels, {"brightness": measure("brightness")}),
        chart("sharpness", labels, {"sharpness": measure("sharpness")}),
        chart(
            "precision of flagging, %",
            labels,
            {"precision": [percent(night.judged) for night in nights]},
            from_zero=True,
        ),
    ]


def percent(judged: Judged) -> float | None:
    """Precision in percent."""
    return None if judged.precision is None else 100 * judged.precision


def calendar(products: Sequence[Product]) -> list[tuple[str, list[list[Night]]]]:
    """Dates, newest first, each with the nights of every product in the products' order."""
    dates = sorted({night.date for one in products for night in one.nights}, reverse=True)
    return [(date, [[night for night in one.nights if night.date == date] for one in products]) for date in dates]
