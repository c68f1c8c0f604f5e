"""Verdicts: people's decisions about images of a run, append-only, so that concurrent writers lose nothing.

`verdicts/<run>/<time>-<random>.json` lies beside `runs/<run>/` and holds one JSON object in one line: one verdict by
one person about one image. No file is ever changed: a later verdict about the same image counts instead of the
earlier ones, and one that is taken back is another file, `withdrawn`. Each file repeats what the person saw (score,
decision), so that the files are a table of their own:

    pd.DataFrame(json.loads(path.read_text("utf-8")) for path in sorted(Path("results/verdicts/<run>").glob("*.json")))
"""

import json
import logging
import math
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from threading import Lock
from typing import Any

import pandas as pd

from storage.results.append_only_files import add_dated, now, time_after
from storage.results.runs import FOLDER as RUNS
from storage.store import PARTIAL, Store

log = logging.getLogger(__name__)

FOLDER = "verdicts"
FORMAT_VERSION = 1
DEFECTIVE, GOOD, UNSURE, WITHDRAWN = "defective", "good", "unsure", "withdrawn"
CHOICES = (DEFECTIVE, GOOD, UNSURE, WITHDRAWN)
BOX, OUTLINE = "box", "outline"
MAX_NOTE, MAX_NAME = 2000, 80
"""Characters."""
MAX_REGIONS, MAX_POINTS = 50, 500
"""Regions of a verdict, and corners of each."""
READERS = 8
"""Files read at once: reading waits for the disk or the network."""

Point = tuple[float, float]
"""Across and down, in pixels of the original upright image."""


@dataclass(frozen=True)
class DrawnShape:
    """A place that a person drew."""

    shape: str
    """`box` or `outline`."""
    points: tuple[Point, ...]
    """Corners in their order; four for a box."""

    def __post_init__(self) -> None:
        """Refuse what is no polygon.

        Raises:
            ValueError: naming what was given.
        """
        if self.shape not in (BOX, OUTLINE):
            raise ValueError(f"the shape of a region must be {BOX} or {OUTLINE}, got {self.shape!r}; draw it again")
        least = 4 if self.shape == BOX else 3
        most = 4 if self.shape == BOX else MAX_POINTS
        if not least <= len(self.points) <= most:
            raise ValueError(f"a region must have {least} to {most} points, got {len(self.points)}; draw it again")
        if not all(math.isfinite(value) and value >= 0 for point in self.points for value in point):
            raise ValueError("the points of a region must lie in the image; draw it again")

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        across, down = zip(*self.points, strict=True)
        return min(across), min(down), max(across), max(down)


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
    regions: tuple[DrawnShape, ...] = ()
    """Where the defect is, if it was drawn."""
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
        if len(self.regions) > MAX_REGIONS:
            raise ValueError(f"a verdict must have at most {MAX_REGIONS} regions, got {len(self.regions)}; remove some")


COLUMNS = ("verdict_id", *(known.name for known in fields(Verdict)))


def verdict_folder(run: str) -> str:
    """Where the verdicts about a run lie.

    >>> verdict_folder("runs/monday-0a1b2c3d")
    'verdicts/monday-0a1b2c3d'
    """
    return f"{FOLDER}/{run.removeprefix(f'{RUNS}/')}"


def add_verdict(store: Store, verdict: Verdict) -> str:
    """Store one verdict as a file of its own, and return the file's path in the store."""
    content = {"format_version": FORMAT_VERSION, **asdict(verdict)}
    return add_dated(store, verdict_folder(verdict.run), verdict.time, content)


class VerdictReader:
    """Reads verdicts; files never change, so each is read once, however often they are asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.known: dict[str, Mapping[str, Any] | None] = {}
        self.tables: dict[str, tuple[list[str], pd.DataFrame]] = {}
        self._adding = Lock()

    def add(self, verdict: Verdict) -> str:
        """Store a verdict that counts instead of all known ones about its photograph, in whichever run.

        Returns:
            The path of its file in the store.
        """
        with self._adding:
            self.everything()
            times = (row["time"] for row in self.known.values() if row and row.get("sha256") == verdict.sha256)
            return add_verdict(self.store, replace(verdict, time=time_after(max(times, default=""), verdict.time)))

    def everything(self) -> dict[str, pd.DataFrame]:
        """All verdicts of the store, by path of their run."""
        paths: dict[str, list[str]] = {}
        for name in self.store.sizes(FOLDER):
            if "/" in name:
                paths.setdefault(f"{RUNS}/{name.split('/')[0]}", []).append(f"{FOLDER}/{name}")
        return {run: self._table(run, paths_of_run) for run, paths_of_run in paths.items()}

    def about(self, run: str) -> pd.DataFrame:
        """Every verdict about a run, a row each with `COLUMNS`, the earliest first."""
        folder = verdict_folder(run)
        return self._table(run, [f"{folder}/{name}" for name in self.store.sizes(folder)])

    def _table(self, run: str, paths: Iterable[str]) -> pd.DataFrame:
        files = sorted(path for path in paths if path.endswith(".json") and PARTIAL not in path)
        if run in self.tables and self.tables[run][0] == files:
            return self.tables[run][1]
        fresh = [path for path in files if path not in self.known]
        with ThreadPoolExecutor(READERS) as readers:
            self.known.update(zip(fresh, readers.map(self._read, fresh), strict=True))
        rows = [{"verdict_id": path.rpartition("/")[2][:-5], **row} for path in files if (row := self.known[path])]
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        self.tables[run] = files, table
        return table

    def _read(self, path: str) -> Mapping[str, Any] | None:
        try:
            values = json.loads(self.store.read(path))
            if values["format_version"] != FORMAT_VERSION:
                raise ValueError(f"its format version is {values['format_version']}")
            datetime.fromisoformat(values["time"])
            return dict(values)
        except (ValueError, TypeError, KeyError) as error:
            log.warning("%s in %s is no verdict of this release and is left out (%s)", path, self.store.url, error)
            return None


def read_verdicts(store: Store, run: str) -> pd.DataFrame:
    """Every verdict about a run, a row each with `COLUMNS`, the earliest first."""
    return VerdictReader(store).about(run)


def current_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Of each image the latest verdict, unless it takes earlier ones back; in the order of their time."""
    latest = table.drop_duplicates("image_id", keep="last")
    return latest[latest["verdict"] != WITHDRAWN].reset_index(drop=True)


def regions_of(values: Any) -> tuple[DrawnShape, ...]:
    """Regions from plain JSON values.

    Raises:
        ValueError: if they are none.
    """
    try:
        return tuple(
            DrawnShape(str(value["shape"]), tuple((float(x), float(y)) for x, y in value["points"])) for value in values
        )
    except (TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"regions must be shapes with points, got something else ({error}); draw them again") from None
