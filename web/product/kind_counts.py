"""How many defects of each kind a product had, night by night."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reports.run_record import night_of
from web.charts import StackedBars, stacked_bars
from web.nights import StoredRun
from web.overview import Product
from web.product.kinds import kinds_values
from web.store_cache import Library

NIGHTS = 30
"""The last ones that are counted."""
NO_KIND_COLOUR, UNLISTED_COLOUR = "#9aa3ab", "#5c6670"


@dataclass(frozen=True)
class KindNight:
    """One night."""

    date: str
    run: str
    """Name of its newest run."""
    counts: Counter[str]
    """Images looked at and judged defective, by kind; `""` for those without one. Only kinds that occur."""


@dataclass(frozen=True)
class KindCounts:
    """The last nights of a product with the kinds of their defects."""

    nights: tuple[KindNight, ...]
    """Oldest first."""
    kinds: tuple[str, ...]
    """Those that occur: in the order of the list, then others by name, then `""` for defects without one."""
    colours: dict[str, str]
    """Of these."""
    bars: StackedBars

    @property
    def total(self) -> int:
        """Defects of all nights."""
        return sum(sum(night.counts.values()) for night in self.nights)


def kind_counts(
    runs: Iterable[tuple[str, str, str]], defects: Mapping[str, pd.DataFrame], colours: Mapping[str, str]
) -> KindCounts:
    """Count the defects of a product.

    A photograph that several runs of a night scored counts once, by its latest verdict.

    Args:
        runs: date, name and path of every run of the product, the newest last.
        defects: see `Library.defects`.
        colours: of the listed kinds, by name, in the order of the list.
    """
    of_date: dict[str, list[tuple[str, str]]] = {}
    for date, name, path in runs:
        of_date.setdefault(date, []).append((name, path))
    nights = tuple(
        KindNight(
            date, of_date[date][-1][0], counts_of([defects[path] for _, path in of_date[date] if path in defects])
        )
        for date in sorted(of_date)[-NIGHTS:]
    )
    occurring = {kind for night in nights for kind in night.counts}
    unlisted = sorted(occurring - {"", *colours})
    kinds = (*(kind for kind in colours if kind in occurring), *unlisted, *({""} & occurring))
    shown = {kind: colours.get(kind, UNLISTED_COLOUR if kind else NO_KIND_COLOUR) for kind in kinds}
    values = {kind: [night.counts.get(kind, 0) for night in nights] for kind in kinds}
    return KindCounts(nights, kinds, shown, stacked_bars([night.date for night in nights], values))


def counts_of(tables: Sequence[pd.DataFrame]) -> Counter[str]:
    """Defects by kind, each photograph once."""
    if not tables:
        return Counter()
    latest = pd.concat(tables).sort_values("time", kind="stable").drop_duplicates("sha256", keep="last")
    return Counter(str(kind) for kind in latest["kind"])


def counts_beside(library: Library, run: StoredRun) -> KindCounts:
    """How many defects of each kind the product of a run had."""
    job = run.record.job
    alike = [
        one
        for one in library.runs().values()
        if (one.record.job.category, one.record.job.dataset) == (job.category, job.dataset)
    ]
    return counts_of_runs(library, alike, str(job.category))


def counts_of_products(library: Library, products: Sequence[Product]) -> dict[str, KindCounts]:
    """The same of the products of which some defect has a kind, by their names."""
    told = {path for path, defects in library.defects().items() if (defects["kind"] != "").any()}
    runs = {product.category: [night.run for night in product.nights] for product in products}
    return {
        category: counts_of_runs(library, of_product, category)
        for category, of_product in runs.items()
        if any(run.path in told for run in of_product)
    }


def counts_of_runs(library: Library, runs: Sequence[StoredRun], category: str) -> KindCounts:
    """How many defects of each kind the runs of a product had."""
    oldest_first = sorted(runs, key=lambda run: run.record.recorded)
    named = [(night_of(run.record), run.name, run.path) for run in oldest_first]
    return kind_counts(named, library.defects(), kinds_values(library.store, category)["colours"])
