"""What a store holds, kept in memory: runs, profiles and verdicts are never changed, so each file is read once."""

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
from pydantic import ValidationError

from storage.artefacts import MARKER
from storage.attempts import Attempt, read_attempts
from storage.results.profiles import FOLDER as PROFILES
from storage.results.profiles import PROFILE
from storage.results.runs import FOLDER as RUNS
from storage.results.runs import RECORD, REPORT_FOLDER
from storage.results.verdicts import VerdictReader
from storage.store import PARTIAL, Store
from tasks.planning.run_record import RunRecord
from tasks.reporting.drift import Compared
from tasks.results.judged import Judged, judge
from web.lot import Lot, open_lot
from web.nights import StoredRun, unusual_of

log = logging.getLogger(__name__)

OPEN_LOTS = 4
"""Lots whose tables are kept in memory; one of 10 000 images takes about 10 MB."""
READERS = 8
"""Files read at once."""


class Library:
    """Looks at a store for the site; safe for several threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.verdicts = VerdictReader(store)
        self._json: dict[tuple[str, int], dict[str, Any]] = {}
        self._records: dict[str, RunRecord | None] = {}
        self._lots: OrderedDict[str, Lot] = OrderedDict()
        self._runs: dict[str, StoredRun] = {}
        self._judged: dict[str, tuple[int, Judged]] = {}
        self._unusual: tuple[list[str], dict[str, tuple[Compared, ...]]] = ([], {})
        self._lock = threading.Lock()

    def runs(self) -> dict[str, StoredRun]:
        """Every complete run by name. Lists two folders; reads only records and profiles it does not know yet."""
        files, profiles = self.store.sizes(RUNS), self.store.sizes(PROFILES)
        names = {path.split("/")[0] for path in files if path.count("/") == 1 and path.endswith(f"/{MARKER}")}
        names = {name for name in names if f"{name}/{RECORD}" in files and PARTIAL not in name}
        records = self._read_all({f"{RUNS}/{name}/{RECORD}": files[f"{name}/{RECORD}"] for name in names})
        ready = {
            f"{PROFILES}/{path}": size
            for path, size in profiles.items()
            if path.endswith(f"/{PROFILE}") and PARTIAL not in path and path.replace(PROFILE, MARKER) in profiles
        }
        of_run = {found["run"]: (path, found) for path, found in self._read_all(ready).items()}
        runs = {}
        for name in sorted(names):
            record = self._record_of(f"{RUNS}/{name}/{RECORD}", records[f"{RUNS}/{name}/{RECORD}"])
            if record is None:
                continue
            path, profile = of_run.get(f"{RUNS}/{name}", ("", None))
            runs[name] = StoredRun(
                name,
                record,
                profile,
                path.rpartition("/")[0],
                f"{name}/{REPORT_FOLDER}/{MARKER}" in files,
            )
        self._runs = runs
        return runs

    def run(self, name: str) -> StoredRun | None:
        """One complete run, found in the store's own listing; the store is listed only if it is not known yet."""
        return self._runs.get(name) or self.runs().get(name)

    def attempts(self) -> list[Attempt]:
        """Lots that were begun or refused and did not end in a run, the latest first."""
        return read_attempts(self.store)

    def lot(self, run: StoredRun) -> Lot:
        """The tables of a run; the last few are kept."""
        with self._lock:
            known = self._lots.pop(run.name, None)
            lot = known or open_lot(self.store, run.path, run.record, run.profile_path)
            self._lots[run.name] = lot
            while len(self._lots) > OPEN_LOTS:
                self._lots.popitem(last=False)
            return lot

    def verdicts_about(self, run: StoredRun) -> pd.DataFrame:
        """Every verdict about a run, the earliest first."""
        return self.verdicts.about(run.path)

    def judged(self) -> dict[str, Judged]:
        """The verdicts about every run counted, by path of the run; only runs with new verdicts are counted again."""
        for path, table in self.verdicts.everything().items():
            if self._judged.get(path, (-1,))[0] != len(table):
                self._judged[path] = len(table), judge(table)
        return {path: judged for path, (_, judged) in self._judged.items()}

    def unusual(self, runs: dict[str, StoredRun]) -> dict[str, tuple[Compared, ...]]:
        """What is unusual about each run, by its name; compared again only when there are other runs."""
        known = [f"{run.name} {run.profile_path}" for run in runs.values()]
        if self._unusual[0] != known:
            self._unusual = known, unusual_of(list(runs.values()))
        return self._unusual[1]

    def _record_of(self, path: str, content: dict[str, Any]) -> RunRecord | None:
        """A run's record, read once; None if another release wrote it."""
        if path not in self._records:
            try:
                self._records[path] = RunRecord.model_validate(content)
            except ValidationError:
                log.warning("%s was written by another release, so its run is not shown; score its lot again", path)
                self._records[path] = None
        return self._records[path]

    def _read_all(self, wanted: dict[str, int]) -> dict[str, dict[str, Any]]:
        """JSON files by path, of which the size is known; those read before are not read again."""
        fresh = [(path, size) for path, size in wanted.items() if (path, size) not in self._json]
        read: Callable[[tuple[str, int]], dict[str, Any]] = lambda known: json.loads(self.store.read(known[0]))  # noqa: E731
        with ThreadPoolExecutor(READERS) as readers:
            self._json.update(zip(fresh, readers.map(read, fresh), strict=True))
        return {path: self._json[path, size] for path, size in wanted.items()}
