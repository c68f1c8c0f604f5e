"""A lot's page: which images a view shows, and all that stands around them."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd

from musc.decisions.threshold_from_verdicts import MIN_OF_EACH, MISS_COST, Calibration, expected
from reports.description import describe_run
from reports.languages.current import gettext as _
from reports.page.charts import histogram
from reports.sentences import headline, thresholds
from reports.verdicts.counts import VerdictCounts, count_verdicts
from storage.results.verdicts import DEFECTIVE, GOOD, current_verdicts
from web.judging.differing import differing
from web.judging.steps import steps_of
from web.lot import Lot
from web.view_query import NO_KIND, PAGE_IMAGES, TO_DO, Query, chosen

MAX_LEFT_OUT = 500
"""Files that were not scored listed in the page; all are in images.parquet."""


@dataclass(frozen=True)
class Suggestion:
    """A threshold that verdicts suggest, or what is still missing for one."""

    judged: VerdictCounts
    """About all lots that were scored alike."""
    threshold: float | None
    false_alarms: float = 0.0
    """Expected in this lot."""
    misses: float = 0.0
    pulled: int = 0
    needed: int = MIN_OF_EACH
    miss_cost: float = MISS_COST

    @property
    def still_needed(self) -> str:
        """Verdicts that are still missing, as words; empty if there are enough."""
        missing = {
            "defective": self.needed - self.judged.defective,
            "good": self.needed - self.judged.good,
        }
        left = [
            _("%(count)s more “%(kind)s”", count=count, kind=_(what)) for what, count in missing.items() if count > 0
        ]
        return _(" and ").join(left)


def suggestion_for(lot: Lot, calibration: Calibration | None, judged: VerdictCounts) -> Suggestion:
    """What the verdicts suggest for a lot."""
    if calibration is None:
        return Suggestion(judged, None)
    threshold, scores = calibration.threshold(), lot.table["raw_score"].to_numpy()
    outcome = expected(calibration, scores, threshold)
    return Suggestion(judged, threshold, outcome.false_alarms, outcome.misses, outcome.pulled)


def with_verdicts(lot: Lot, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The lot's table with each image's current verdict.

    Columns `verdict`, `kind`, `severity`, empty for none; `looked`, if at it; `differs`, if people do.
    """
    current = current_verdicts(verdicts).set_index("image_id")[["verdict", "looked", "kind", "severity"]]
    of_image = current.reindex(lot.table["image_id"])
    said, looked = of_image["verdict"].to_numpy(dtype=object), of_image["looked"].to_numpy(dtype=object)
    known = pd.notna(said)
    seen = np.where(known, looked, False).astype(bool)
    differs = lot.table["image_id"].isin(list(differing(verdicts)))
    told = {name: of_image[name].fillna("").to_numpy(dtype=object) for name in ("kind", "severity")}
    return lot.table.assign(verdict=np.where(known, said, ""), looked=seen, differs=differs, **told)


def lot_values(lot: Lot, verdicts: pd.DataFrame, query: Query | None, suggestion: Suggestion) -> dict[str, object]:
    """All that the template shows of a lot, besides the run itself.

    Args:
        verdicts: every verdict about it.
        query: None for the view a lot opens on: what is to look at and not judged, or everything where all of it is.
        suggestion: of a threshold.
    """
    table = with_verdicts(lot, verdicts)
    work = steps_of(table, TO_DO)
    if query is None:
        query = TO_DO if work.next("") else Query()
    rows = chosen(table, query)
    page_count = max(1, ceil(len(rows) / PAGE_IMAGES[query.view]))
    page = min(query.page_number, page_count)
    first = (page - 1) * PAGE_IMAGES[query.view]
    decision = lot.record.decision
    groups = table.loc[table["group"] > 0, "group"].value_counts().sort_index()
    said_by = differing(verdicts)
    return {
        "query": query,
        "work": work,
        "work_view": TO_DO.address(),
        "differing": [
            (lot.images[lot.positions[one]].path, one, said) for one, said in said_by.items() if one in lot.positions
        ],
        "rows": rows.iloc[first : first + PAGE_IMAGES[query.view]].to_dict("records"),
        "first": first,
        "match_count": len(rows),
        "page": page,
        "page_count": page_count,
        "image_count": len(table),
        "headline": headline(decision, len(table)),
        "thresholds": thresholds(decision, lot.record.accepted_threshold),
        "histogram": histogram(
            table["raw_score"].to_numpy(), table["decision"].tolist(), decision.threshold, decision.suspect_threshold
        ),
        "judged": count_verdicts(verdicts),
        "told_kinds": told_kinds(table),
        "groups": dict(zip(groups.index.tolist(), groups.tolist(), strict=True)),
        "left_out": lot.left_out.head(MAX_LEFT_OUT).to_dict("records"),
        "left_out_count": len(lot.left_out),
        "has_appearance": lot.has_appearance,
        "settings": describe_run(lot.record),
        "suggestion": suggestion,
        "below": lowest_threshold(lot),
    }


def told_kinds(table: pd.DataFrame) -> dict[str, int]:
    """How many images of a lot have a verdict of each kind, by its name, and of no kind as `NO_KIND`."""
    defects = table.loc[table["verdict"] == DEFECTIVE, "kind"].replace("", NO_KIND)
    return {str(kind): int(count) for kind, count in defects.value_counts().sort_index().items()}


def lowest_threshold(lot: Lot) -> float:
    """The raw score from which on images are listed; the median where the lot has no threshold."""
    known = [
        value for value in (lot.record.decision.suspect_threshold, lot.record.decision.threshold) if value is not None
    ]
    return min(known) if known else float(lot.table["raw_score"].median())


def slider_values(lot: Lot, verdicts: pd.DataFrame) -> dict[str, object]:
    """What the threshold slider counts, ascending: all raw scores, and those of images looked at and judged."""
    table = with_verdicts(lot, verdicts)
    seen = table[table["looked"]]

    def scores(rows: pd.DataFrame) -> list[float]:
        return [float(score) for score in rows["raw_score"].sort_values()]

    return {
        "all": scores(table),
        DEFECTIVE: scores(seen[seen["verdict"] == DEFECTIVE]),
        GOOD: scores(seen[seen["verdict"] == GOOD]),
    }
