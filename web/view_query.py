"""View of a lot: filters, order and page, all of them in the URL, which can be shared."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from urllib.parse import urlencode

import pandas as pd

from musc.decisions.decision_words import Decision
from storage.given_names import caseless, one_form
from storage.results.verdicts import DEFECTIVE, SEVERITIES

GRID, TABLE = "grid", "table"
PAGE_IMAGES = {GRID: 60, TABLE: 200}
ORDERS = {
    "score": "raw_score",
    "name": "path",
    "decision": "decision",
    "verdict": "verdict",
    "kind": "kind",
    "severity": "severity",
    "group": "group",
    "brightness": "brightness",
    "sharpness": "sharpness",
}
"""What lots can be sorted by, and the column that is meant."""
DESCENDING_FIRST = ("score", "decision", "severity", "group", "brightness", "sharpness")
LISTED = "listed"
"""As a filter of decisions: flagged and suspect images, those to look at."""
NONE = "none"
"""As a filter: images without a verdict, or in no group."""

UNSEEN = "unseen"
"""As a filter: images judged without a look at them."""
DIFFERS = "differs"
"""As a filter: images about which two people say different things."""
NO_KIND = "-"
"""As a filter: images judged defective without a kind. No kind has this name: each has a letter or a digit."""


@dataclass(frozen=True)
class Query:
    """One view of a lot. Values that the page does not offer mean the default."""

    sort: str = "score"
    order: str = "desc"
    decision: str = ""
    verdict: str = ""
    kind: str = ""
    """Of a defect; see `NO_KIND`."""
    severity: str = ""
    group: str = ""
    name: str = ""
    """Part of the path."""
    low: str = ""
    """Lowest raw score, as it was typed."""
    high: str = ""
    view: str = GRID
    page: str = "1"

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Query":
        """The view an address names."""
        values = {field.name: str(parameters[field.name])[:200] for field in fields(cls) if field.name in parameters}
        query = cls(**values)
        sort = query.sort if query.sort in ORDERS else cls.sort
        return replace(query, sort=sort, view=query.view if query.view in PAGE_IMAGES else GRID)

    def address(self, **changes: str) -> str:
        """The query part of an address with some values changed; those with the default are left out, but not all.

        An address that names no view means the one a lot opens on.
        """
        values = asdict(replace(self, **changes))
        default = asdict(Query())
        given = {name: value for name, value in values.items() if value != default[name]}
        return urlencode(given or {"view": self.view})

    @classmethod
    def names_view(cls, parameters: Mapping[str, str]) -> bool:
        """Whether an address names a view at all."""
        return any(field.name in parameters for field in fields(cls))

    def by(self, sort: str) -> "Query":
        """The same images by another order; chosen again, the other way round."""
        first = "desc" if sort in DESCENDING_FIRST else "asc"
        other = "asc" if self.order == "desc" else "desc"
        return replace(self, sort=sort, order=other if sort == self.sort else first, page="1")

    @property
    def is_filtered(self) -> bool:
        return any((self.decision, self.verdict, self.kind, self.severity, self.group, self.name, self.low, self.high))

    @property
    def page_number(self) -> int:
        """From 1."""
        return max(1, whole_number(self.page) or 1)


TO_DO = Query(decision=LISTED, verdict=NONE)
"""What a lot opens on: images to look at that nobody judged yet."""


def whole_number(text: str) -> int | None:
    """A whole number, or None."""
    return int(text) if text.isdecimal() and len(text) < 10 else None


def decimal(text: str) -> float | None:
    """A finite number, or None; a comma counts as a point."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def chosen(table: pd.DataFrame, query: Query) -> pd.DataFrame:
    """The rows of a lot that a view shows, in its order; equal values in the order of their paths.

    Args:
        table: a row per image by position, with the current `verdict`, `kind` and `severity`, empty for none, if it was
            `looked` at, and whether what people say `differs`.
    """
    keep = pd.Series(True, index=table.index)
    if query.decision:
        accepted = table["decision"] == Decision.ACCEPTED
        keep &= ~accepted if query.decision == LISTED else table["decision"] == query.decision
    if query.verdict:
        said = table["verdict"]
        of_kind = {UNSEEN: (said != "") & ~table["looked"], DIFFERS: table["differs"], NONE: said == ""}
        keep &= of_kind.get(query.verdict, said == query.verdict)
    if query.kind == NO_KIND:
        keep &= (table["verdict"] == DEFECTIVE) & (table["kind"] == "")
    elif query.kind:
        keep &= table["kind"] == one_form(query.kind)
    if query.severity:
        keep &= table["severity"] == query.severity
    if query.group:
        keep &= table["group"] == (0 if query.group == NONE else whole_number(query.group))
    if query.name:
        keep &= table["path"].map(caseless).str.contains(caseless(query.name), regex=False)
    low, high = decimal(query.low), decimal(query.high)
    if low is not None:
        keep &= table["raw_score"] >= low
    if high is not None:
        keep &= table["raw_score"] <= high
    by_path = table[keep].sort_values("path", kind="stable")
    return by_path.sort_values(
        ORDERS[query.sort],
        ascending=query.order == "asc",
        kind="stable",
        na_position="last",
        key=KEYS.get(query.sort),
    )


def by_gravity(decisions: pd.Series) -> pd.Series:
    """Decisions as numbers that grow from accepted over suspect to flagged."""
    return decisions.map({decision.value: number for number, decision in enumerate(reversed(Decision))})


def by_severity(severities: pd.Series) -> pd.Series:
    """Severities as numbers that grow; NaN, which comes last in either order, where none is told."""
    return severities.map({severity: number for number, severity in enumerate(SEVERITIES)})


def by_kind(kinds: pd.Series) -> pd.Series:
    """Kinds as texts that sort without regard to case; None, which comes last in either order, where none is told."""
    return kinds.map(lambda kind: caseless(kind) or None)


KEYS = {"decision": by_gravity, "severity": by_severity, "kind": by_kind}
"""What orders compare instead of a column's own values."""
