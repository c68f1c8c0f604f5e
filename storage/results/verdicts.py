"""Verdicts: people's decisions about images of a run, append-only, so that concurrent writers lose nothing.

`verdicts/<run>/<time>-<random>.json` lies beside `runs/<run>/` and holds one *action*: a verdict about one image, or
what undoes an earlier action. One about many images is a `.jsonl`, a line of JSON for each. No file is ever changed,
and each is written whole or not at all. A later verdict about the same image counts instead of the earlier ones; one
that is taken back is another one, `withdrawn`; what was undone counts as if it had never been given. Each line repeats
what the person saw (score, decision), so that the files are a table of their own:

    pd.concat(pd.read_json(path, lines=True) for path in sorted(Path("results/verdicts/<run>").glob("*.json*")))
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from storage.images.drawn_shapes import MAX_REGIONS, DrawnShape
from storage.results.append_only_files import add_dated_lines, now, time_after
from storage.results.runs import FOLDER as RUNS
from storage.store import PARTIAL, Store

if TYPE_CHECKING:
    import pandas as pd


log = logging.getLogger(__name__)

FOLDER = "verdicts"
FORMAT_VERSION = 2
SUFFIXES = (".json", ".jsonl")
DEFECTIVE, GOOD, UNSURE, WITHDRAWN = "defective", "good", "unsure", "withdrawn"
CHOICES = (DEFECTIVE, GOOD, UNSURE, WITHDRAWN)
SEVERITIES = ("minor", "major", "critical")
"""Of a defect, the mildest first."""
MAX_NOTE, MAX_NAME, MAX_KIND = 2000, 80, 40
"""Characters."""
READERS = 8
"""Files read at once: reading waits for the disk or the network."""


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


class VerdictReader:
    """Reads verdicts; files never change, so each is read once, however often they are asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.known: dict[str, Content] = {}
        self.tables: dict[str, tuple[list[str], pd.DataFrame]] = {}
        self._adding = Lock()

    def add(self, *verdicts: Verdict, token: str = "") -> str:
        """Store verdicts about a run that count instead of all known ones about their photographs, in whichever run.

        Args:
            verdicts: of one action: all are stored, or none is.
            token: of a sender who may send again what was stored already, random; stored once. Empty for none.

        Returns:
            The name of the action.
        """
        with self._adding:
            self.everything()
            folder = verdict_folder(verdicts[0].run)
            for path in self.known:
                if token and path.startswith(f"{folder}/") and action_of(path).endswith(f"-{token}"):
                    return action_of(path)
            judged = {verdict.sha256 for verdict in verdicts}
            lines = (line for content in self.known.values() if isinstance(content, tuple) for line in content)
            latest = max((line["time"] for line in lines if line.get("sha256") in judged), default="")
            time = time_after(latest, verdicts[0].time)
            return action_of(add_verdicts(self.store, [replace(one, time=time) for one in verdicts], token))

    def undo(self, run: str, action: str, name: str) -> str:
        """Make an action about a run count no longer, or an undone one again by undoing what undid it.

        Returns:
            The name of the action that undoes it.

        Raises:
            ValueError: if there is no such action, it is undone already, or the name cannot be one.
        """
        if not name.strip() or len(name) > MAX_NAME:
            raise ValueError(f"name must have 1 to {MAX_NAME} characters, got {len(name)}; say who undoes")
        with self._adding:
            self.about(run)
            actions = self.actions(run)
            if action not in actions:
                raise ValueError(f"action must be one about {run}, got {action!r}; reload the page")
            if by := undone(actions).get(action):
                raise ValueError(f"action must not be undone yet, but {by} undid it; reload the page")
            content = actions[action]
            time = time_after(content.time if isinstance(content, Undo) else content[0]["time"], now())
            line = {"format_version": FORMAT_VERSION, "undoes": action, "run": run, "name": name, "time": time}
            return action_of(add_dated_lines(self.store, verdict_folder(run), time, [line]))

    def actions(self, run: str) -> dict[str, Content]:
        """All actions about a run by their names, the earliest first, as `about` read them last."""
        if run not in self.tables:
            self.about(run)
        read = ((action_of(path), self.known[path]) for path in self.tables[run][0])
        return {action: content for action, content in read if content != ()}

    def everything(self) -> dict[str, "pd.DataFrame"]:
        """All verdicts of the store, by path of their run."""
        paths: dict[str, list[str]] = {}
        for name in self.store.names(FOLDER):
            if "/" in name:
                paths.setdefault(f"{RUNS}/{name.split('/')[0]}", []).append(f"{FOLDER}/{name}")
        return {run: self._table(run, paths_of_run) for run, paths_of_run in paths.items()}

    def about(self, run: str) -> "pd.DataFrame":
        """Every verdict about a run, a row each with `COLUMNS`, the earliest first."""
        folder = verdict_folder(run)
        return self._table(run, [f"{folder}/{name}" for name in self.store.names(folder)])

    def _table(self, run: str, paths: Iterable[str]) -> "pd.DataFrame":
        import pandas as pd

        files = sorted(path for path in paths if path.endswith(SUFFIXES) and PARTIAL not in path)
        if run in self.tables and self.tables[run][0] == files:
            return self.tables[run][1]
        fresh = [path for path in files if path not in self.known]
        with ThreadPoolExecutor(READERS) as readers:
            self.known.update(zip(fresh, readers.map(self._read, fresh), strict=True))
        actions = {action_of(path): self.known[path] for path in files}
        by = undone(actions)
        rows = [
            {"verdict_id": f"{action}-{number}", "action": action, **line, "undone_by": by.get(action, "")}
            for action, content in actions.items()
            if isinstance(content, tuple)
            for number, line in enumerate(content)
        ]
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        self.tables[run] = files, table
        return table

    def _read(self, path: str) -> Content:
        try:
            lines = [json.loads(line) for line in self.store.read(path).decode().splitlines()]
            if not lines:
                raise ValueError("it is empty")
            for line in lines:
                if line["format_version"] != FORMAT_VERSION:
                    raise ValueError(f"its format version is {line['format_version']}")
                datetime.fromisoformat(line["time"])
            if "undoes" in lines[0]:
                return Undo(str(lines[0]["undoes"]), str(lines[0]["name"]), lines[0]["time"])
            return tuple({"kind": "", "severity": "", **line} for line in lines)
        except (ValueError, TypeError, KeyError) as error:
            log.warning("%s in %s is no verdict of this release and is left out (%s)", path, self.store.url, error)
            return ()


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


def read_verdicts(store: Store, run: str) -> "pd.DataFrame":
    """Every verdict about a run, a row each with `COLUMNS`, the earliest first."""
    return VerdictReader(store).about(run)


def current_verdicts(table: "pd.DataFrame") -> "pd.DataFrame":
    """Of each image the latest verdict, unless it takes earlier ones back; in the order of their time.

    What was undone counts as if it had never been given.
    """
    latest = table[table["undone_by"] == ""].drop_duplicates("image_id", keep="last")
    return latest[latest["verdict"] != WITHDRAWN].reset_index(drop=True)


def looked_at(current: "pd.DataFrame") -> "pd.DataFrame":
    """Of standing verdicts those about images that the person looked at: from no others anything is learnt."""
    return current[current["looked"].astype(bool)].reset_index(drop=True)
