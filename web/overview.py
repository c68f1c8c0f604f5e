"""The overview: every product and night of a store, and what has no result yet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.languages.current import mark
from reports.run_record import RunRecord, night_of
from reports.unusual_nights import MeasureComparison
from reports.verdicts.counts import VerdictCounts
from storage.results.profiles import choose_earlier, names_of
from web.charts import Chart, chart
from web.nights import StoredRun


@dataclass(frozen=True)
class OverviewNight:
    """One run of a product."""

    run: StoredRun
    date: str
    """Of the lot, if its name says one; else the day it was scored."""
    judged: VerdictCounts
    unusual: tuple[MeasureComparison, ...]
    """Measures unlike the nights before."""

    @property
    def record(self) -> RunRecord:
        return self.run.record

    @property
    def image_count(self) -> int:
        return self.record.image_count

    @property
    def left_out_count(self) -> int:
        return self.record.left_out_count

    @property
    def flagged_count(self) -> int:
        return int(self.record.decision.flagged_count)

    @property
    def flagged_rate(self) -> float:
        return self.flagged_count / max(1, self.image_count)

    @property
    def suspect_count(self) -> int:
        return int(self.record.decision.suspect_count)

    @property
    def listed_rate(self) -> float:
        return (self.flagged_count + self.suspect_count) / max(1, self.image_count)

    @property
    def own_warnings(self) -> list[str]:
        """Warnings of the run and sentences about what is unusual."""
        return [*self.record.warnings, *(comparison.warning for comparison in self.unusual)]


@dataclass(frozen=True)
class Product:
    """All runs of one category, newest first, those of benchmarks left out."""

    category: str
    nights: tuple[OverviewNight, ...]
    judged: VerdictCounts
    charted: tuple[OverviewNight, ...]
    """Those that the charts hold, oldest first."""
    charts: tuple[Chart, ...]

    @property
    def date_count(self) -> int:
        """Nights in which these runs' photographs were taken."""
        return len({night.date for night in self.nights})


def products_of(
    runs: Mapping[str, StoredRun],
    judged: Mapping[str, VerdictCounts],
    unusual: Mapping[str, tuple[MeasureComparison, ...]],
) -> list[Product]:
    """Every product with its nights, by name.

    Args:
        runs: every complete run.
        judged: what people said of a run, by its path.
        unusual: what is unusual about a run, by its name.
    """
    of_category = defaultdict(list)
    for run in runs.values():
        if run.record.job.dataset:
            continue
        night = OverviewNight(
            run, night_of(run.record), judged.get(run.path, VerdictCounts()), unusual.get(run.name, ())
        )
        of_category[str(run.record.job.category)].append(night)
    return [product(category, nights) for category, nights in sorted(of_category.items())]


def product(category: str, nights: Sequence[OverviewNight]) -> Product:
    """One product: its nights in order, their sum, and their charts."""
    newest = sorted(nights, key=lambda night: (night.date, night.record.recorded), reverse=True)
    judged = sum((night.judged for night in newest), VerdictCounts())
    charted = nights_scored_alike(newest)
    return Product(category, tuple(newest), judged, tuple(charted), tuple(charts_of(charted) if charted else ()))


def nights_scored_alike(newest: Sequence[OverviewNight]) -> list[OverviewNight]:
    """The nights that were scored as the last one, each once, as it was scored last; oldest first.

    Only between these a line says something: other settings make other scores, and the same photographs scored again
    are no other night.

    Args:
        newest: runs of a product, newest first.
    """
    profiles = [night.run.profile for night in newest if night.run.profile]
    if not profiles:
        return []
    last, *earlier = profiles
    alike = [profile for profile in earlier if profile.path.rpartition("/")[0] == last.path.rpartition("/")[0]]
    runs = {profile.run for profile in (*choose_earlier(names_of(last), alike, len(alike)), last)}
    return [night for night in reversed(newest) if night.run.path in runs]


def charts_of(nights: Sequence[OverviewNight]) -> list[Chart]:
    """How a product went, night by night; oldest first."""
    labels = [night.date for night in nights]

    def measure(name: str) -> list[float | None]:
        profiles = (night.run.profile for night in nights)
        return [getattr(profile, name) if profile else None for profile in profiles]

    return [
        chart(
            mark("to look at, %%"),
            labels,
            {
                mark("flagged"): [100 * night.flagged_rate for night in nights],
                mark("with suspect"): [100 * night.listed_rate for night in nights],
            },
            from_zero=True,
        ),
        chart(
            mark("raw scores"),
            labels,
            {mark("half"): measure("score_median"), "90 %%": measure("score_p90"), "99 %%": measure("score_p99")},
        ),
        chart(mark("brightness, 0 to 1"), labels, {mark("brightness"): measure("brightness")}),
        chart(mark("sharpness"), labels, {mark("sharpness"): measure("sharpness")}),
        chart(
            mark("precision, %%"),
            labels,
            {mark("precision"): [percent(night.judged) for night in nights]},
            from_zero=True,
        ),
    ]


def percent(judged: VerdictCounts) -> float | None:
    """Precision in percent."""
    return None if judged.precision is None else 100 * judged.precision


def calendar(products: Sequence[Product]) -> list[tuple[str, list[list[OverviewNight]]]]:
    """Dates, newest first, each with the nights of every product in the products' order."""
    rows: dict[str, list[list[OverviewNight]]] = defaultdict(lambda: [[] for _ in products])
    for column, product in enumerate(products):
        for night in product.nights:
            rows[night.date][column].append(night)
    return sorted(rows.items(), reverse=True)
