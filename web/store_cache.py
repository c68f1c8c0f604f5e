"""Cache of a store's runs, profiles and verdicts: files never change, so each is read once."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from reports.run_record import RunRecord, parse_record
from reports.unusual_nights import MeasureComparison
from reports.verdicts.counts import VerdictCounts, count_verdicts
from storage.artefacts import MARKER
from storage.attempts import Attempt, AttemptReader
from storage.errors import DamagedError, FormatVersionError
from storage.results.profiles import FOLDER as PROFILES
from storage.results.profiles import PROFILE, Profile, parse_profile
from storage.results.runs import FOLDER as RUNS
from storage.results.runs import RECORD, REPORT_FOLDER, Run
from storage.results.verdict_reader import VerdictReader
from storage.results.verdicts import DEFECTIVE, current_verdicts, looked_at
from storage.store import PARTIAL, Store
from storage.tables import BENCHMARKS, METRICS_TABLE
from web.benchmarks import BenchmarkRun, benchmark_runs, parse_metrics
from web.lot import Lot, open_lot
from web.nights import StoredRun, UnusualNights

log = logging.getLogger(__name__)

DEFECT = ("image_id", "path", "sha256", "kind", "severity", "regions", "time")
OPEN_LOTS = 4
"""Lots whose tables are kept in memory; one of 10 000 images takes about 10 MB."""
READERS = 8
"""Files read at once."""


Parsed = TypeVar("Parsed")


class ParsedFiles(Generic[Parsed]):
    """Files of one kind, each read and parsed once for each size it has had; those that cannot be read are left out."""

    def __init__(self, store: Store, parse: Callable[[bytes, str], Parsed]) -> None:
        """Of a store.

        Args:
            parse: a file's content, given the path of its folder.
        """
        self.store = store
        self.parse = parse
        self._known: dict[tuple[str, int], Parsed | None] = {}

    def read(self, sizes: dict[str, int]) -> dict[str, Parsed]:
        """The files at these paths, of which the sizes are known, by path."""
        fresh = [path for path, size in sizes.items() if (path, size) not in self._known]
        with ThreadPoolExecutor(READERS) as readers:
            for path, content in zip(fresh, readers.map(self._parse, fresh), strict=True):
                self._known[path, sizes[path]] = content
        parsed = ((path, self._known[path, size]) for path, size in sizes.items())
        return {path: content for path, content in parsed if content is not None}

    def _parse(self, path: str) -> Parsed | None:
        try:
            return self.parse(self.store.read(path), path.rpartition("/")[0])
        except (DamagedError, FormatVersionError) as error:
            log.warning("%s; it is not shown", error)
            return None


class Library:
    """Looks at a store for the site; safe for several threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.verdicts = VerdictReader(store)
        self._attempts = AttemptReader(store)
        self._records = ParsedFiles(store, parse_record)
        self._profiles = ParsedFiles(store, parse_profile)
        self._metrics = ParsedFiles(store, parse_metrics)
        self._lots: OrderedDict[str, Lot] = OrderedDict()
        self._raw_scores: dict[str, np.ndarray] = {}
        self._runs: dict[str, StoredRun] = {}
        self._judged: dict[str, tuple[pd.DataFrame, VerdictCounts]] = {}
        self._defects: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
        self._unusual = UnusualNights()
        self._lock = threading.Lock()

    def runs(self) -> dict[str, StoredRun]:
        """Every complete run by name. Lists two folders; reads only records and profiles it does not know yet."""
        files, profiles = self.store.sizes(RUNS), self.store.sizes(PROFILES)
        names = {path.split("/")[0] for path in files if path.count("/") == 1 and path.endswith(f"/{MARKER}")}
        names = {name for name in names if f"{name}/{RECORD}" in files and PARTIAL not in name}
        records: dict[str, RunRecord] = self._records.read(
            {f"{RUNS}/{name}/{RECORD}": files[f"{name}/{RECORD}"] for name in names}
        )
        ready = {
            f"{PROFILES}/{path}": size
            for path, size in profiles.items()
            if path.endswith(f"/{PROFILE}") and PARTIAL not in path and path.replace(PROFILE, MARKER) in profiles
        }
        profile_of: dict[str, Profile] = {profile.run: profile for profile in self._profiles.read(ready).values()}
        self._runs = {
            name: StoredRun(
                name,
                records[f"{RUNS}/{name}/{RECORD}"],
                profile_of.get(f"{RUNS}/{name}"),
                f"{name}/{REPORT_FOLDER}/{MARKER}" in files,
            )
            for name in sorted(names)
            if f"{RUNS}/{name}/{RECORD}" in records
        }
        return self._runs

    def run(self, name: str) -> StoredRun | None:
        """One complete run, found in the store's own listing; the store is listed only if it is not known yet."""
        return self._runs.get(name) or self.runs().get(name)

    def benchmarks(self) -> list[BenchmarkRun]:
        """The runs of benchmarks among those that were listed last."""
        files = self.store.sizes(BENCHMARKS)
        sizes = {f"{BENCHMARKS}/{path}": size for path, size in files.items() if path.endswith(f"/{METRICS_TABLE}")}
        tables = self._metrics.read({path: size for path, size in sizes.items() if PARTIAL not in path})
        return benchmark_runs(self._runs, tables.values())

    def attempts(self) -> list[Attempt]:
        """Lots that were begun or refused and did not end in a run, the latest first."""
        return self._attempts.read()

    def lot(self, run: StoredRun) -> Lot:
        """The tables of a run; the last few are kept."""
        with self._lock:
            opened = self._lots.pop(run.name, None)
            lot = opened or open_lot(self.store, run.path, run.record, run.profile_path)
            self._lots[run.name] = lot
            while len(self._lots) > OPEN_LOTS:
                self._lots.popitem(last=False)
            return lot

    def raw_scores(self, run: StoredRun) -> np.ndarray:
        """The raw scores of a run, (N,) ascending; read once."""
        if run.path not in self._raw_scores:
            self._raw_scores[run.path] = np.sort(Run(self.store, run.path).scores()["raw_score"].to_numpy())
        return self._raw_scores[run.path]

    def verdicts_about(self, run: StoredRun) -> pd.DataFrame:
        """Every verdict about a run, the earliest first."""
        return self.verdicts.about(run.path)

    def judged(self) -> dict[str, VerdictCounts]:
        """The verdicts about every run counted, by path of the run; only runs with new verdicts are counted again."""
        for path, table in self.verdicts.everything().items():
            if path not in self._judged or self._judged[path][0] is not table:
                self._judged[path] = table, count_verdicts(table)
        return {path: judged for path, (_, judged) in self._judged.items()}

    def defects(self) -> dict[str, pd.DataFrame]:
        """The images looked at and judged defective, the columns `DEFECT` of their verdicts, by path of the run."""
        for path, table in self.verdicts.everything().items():
            if path not in self._defects or self._defects[path][0] is not table:
                current = looked_at(current_verdicts(table))
                defective = current[current["verdict"] == DEFECTIVE]
                self._defects[path] = table, defective[list(DEFECT)]
        return {path: defects for path, (_, defects) in self._defects.items()}

    def unusual(self, runs: dict[str, StoredRun]) -> dict[str, tuple[MeasureComparison, ...]]:
        """What is unusual about each run, by its name; only new nights are compared."""
        return self._unusual.of(runs.values())
