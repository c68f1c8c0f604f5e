"""Verdicts: people's decisions about images of a run, append-only, so that concurrent writers lose nothing.

`verdicts/<run>/<time>-<random>.json` lies beside `runs/<run>/` and holds one *action*: a verdict about one image, or
what undoes an earlier action. One about many images is a `.jsonl`, a line of JSON for each. No file is ever changed,
and each is written whole or not at all. A later verdict about the same image counts instead of the earlier ones; one
that is taken back is another one, `withdrawn`; what was undone counts as if it had never been given. Each line repeats
what the person saw (score, decision), so that the files are a table of their own:

    pd.concat(pd.read_json(path, lines=True) for path in sorted(Path("results/verdicts/<run>").glob("*.json*")))
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from storage.images.drawn_shapes import MAX_REGIONS, DrawnShape
from storage.results.append_only_files import add_dated_lines, now
from storage.results.runs import FOLDER as RUNS
from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


FOLDER = "verdicts"
FORMAT_VERSION = 2
SUFFIXES = (".json", ".jsonl")
DEFECTIVE, GOOD, UNSURE, WITHDRAWN = "defective", "good", "unsure", "withdrawn"
CHOICES = (DEFECTIVE, GOOD, UNSURE, WITHDRAWN)
SEVERITIES = ("minor", "major", "critical")
"""Of a defect, the mildest first."""
MAX_NOTE, MAX_NAME, MAX_KIND = 2000, 80, 40
"""Characters."""


@dataclass(frozen=True)
class Verdict:
    """What one person decided about one image of a run."""

    run: str
    """Path of the run in the store."""
    image_id: str
    path: str
    """Of the image in its lot's folder."""
    sha256: str
    """Of the image's content, by which other runs know it again."""
    category: str
    raw_score: float
    decision: str
    """`flagged`, `suspect` or `accepted`, by the run."""
    verdict: str
    """One of `CHOICES`; `withdrawn` takes earlier ones back."""
    name: str
    """Who decided."""
    note: str = ""
    kind: str = ""
    """Of the defect, one that the product's list had (`storage.products.defect_kinds`); empty where none is told."""
    severity: str = ""
    """Of the defect, one of `SEVERITIES`; empty where none is told."""
    regions: tuple[DrawnShape, ...] = ()
    """Where the defect is, if it was drawn."""
    at_once: int = 1
    """Images that were judged by the same action."""
    looked: bool = True
    """Whether the person looked at this image; otherwise the verdict says nothing that others are compared with."""
    time: str = field(default_factory=now)
    """UTC, ISO 8601 with microseconds."""

    def __post_init__(self) -> None:
        """Refuse what cannot be a verdict.

        Raises:
            ValueError: naming the field, its rule and what was given.
        """
        if self.verdict not in CHOICES:
            raise ValueError(f"verdict must be one of {', '.join(CHOICES)}, got {self.verdict!r}; choose one of them")
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise ValueError(f"name must have 1 to {MAX_NAME} characters, got {len(self.name)}; say who decides")
        if len(self.note) > MAX_NOTE:
            raise ValueError(f"note must have at most {MAX_NOTE} characters, got {len(self.note)}; shorten it")
        if len(self.kind) > MAX_KIND:
            raise ValueError(f"kind must have at most {MAX_KIND} characters, got {len(self.kind)}; choose a listed one")
        if self.severity and self.severity not in SEVERITIES:
            known = ", ".join(SEVERITIES)
            raise ValueError(
                f"severity must be one of {known}, or empty, got {self.severity[:40]!r}; choose one of them"
            )
        if (self.kind or self.severity) and self.verdict != DEFECTIVE:
            raise ValueError(
                f"kind and severity must go with the verdict defective, got {self.verdict}; leave them out"
            )
        if len(self.regions) > MAX_REGIONS:
            raise ValueError(f"a verdict must have at most {MAX_REGIONS} regions, got {len(self.regions)}; remove some")


COLUMNS = ("verdict_id", "action", *(known.name for known in fields(Verdict)), "undone_by")
"""Of a table of verdicts; `undone_by` is empty for those that were not undone."""


@dataclass(frozen=True)
class Undo:
    """An action that makes an earlier one count no longer."""

    undoes: str
    """The name of the action."""
    name: str
    """Who undid it."""
    time: str


Content = tuple[Mapping[str, Any], ...] | Undo
"""Of a file: the verdicts of an action, none where it cannot be read; or what undoes one."""


def verdict_folder(run: str) -> str:
    """Where the verdicts about a run lie.

    >>> verdict_folder("runs/monday-0a1b2c3d")
    'verdicts/monday-0a1b2c3d'
    """
    return f"{FOLDER}/{run.removeprefix(f'{RUNS}/')}"


def add_verdict(store: Store, verdict: Verdict) -> str:
    """Store one verdict as an action of its own, and return the path of its file in the store."""
    return add_verdicts(store, [verdict])


def add_verdicts(store: Store, verdicts: Sequence[Verdict], suffix: str = "") -> str:
    """Store verdicts about one run as one action, all or none, and return the path of its file in the store.

    Args:
        verdicts: of one time.
        suffix: ends the file's name; see `VerdictReader.add`.
    """
    lines = [{"format_version": FORMAT_VERSION, **asdict(verdict)} for verdict in verdicts]
    return add_dated_lines(store, verdict_folder(verdicts[0].run), verdicts[0].time, lines, suffix)


def action_of(path: str) -> str:
    """The name of an action, from the path of its file.

    >>> action_of("verdicts/monday-0a1b2c3d/20261122T040506000007-0a1b2c3d.json")
    '20261122T040506000007-0a1b2c3d'
    """
    return path.rpartition("/")[2].partition(".")[0]


def undone(actions: Mapping[str, Content]) -> dict[str, str]:
    """Which actions were undone, and by whom; what undid one may itself be undone.

    Args:
        actions: by their names, which sort by time.
    """
    by: dict[str, str] = {}
    for action in sorted(actions, reverse=True):
        content = actions[action]
        if isinstance(content, Undo) and action not in by:
            by[content.undoes] = content.name
    return by


def current_verdicts(table: "pd.DataFrame") -> "pd.DataFrame":
    """Of each image the latest verdict, unless it takes earlier ones back; in the order of their time.

    What was undone counts as if it had never been given.
    """
    latest = table[table["undone_by"] == ""].drop_duplicates("image_id", keep="last")
    return latest[latest["verdict"] != WITHDRAWN].reset_index(drop=True)


def looked_at(current: "pd.DataFrame") -> "pd.DataFrame":
    """Of standing verdicts those about images that the person looked at: from no others anything is learnt."""
    return current[current["looked"].astype(bool)].reset_index(drop=True)
