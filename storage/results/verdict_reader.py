"""Reads a store's verdicts: each file once, and only folders that may hold new ones are listed again."""

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from storage.listed_folders import ListedFolders
from storage.results.append_only_files import add_dated_lines, now, time_after
from storage.results.runs import FOLDER as RUNS
from storage.results.verdicts import (
    COLUMNS,
    FOLDER,
    FORMAT_VERSION,
    MAX_NAME,
    SUFFIXES,
    Content,
    Undo,
    Verdict,
    action_of,
    add_verdicts,
    undone,
    verdict_folder,
)
from storage.store import PARTIAL, Store

if TYPE_CHECKING:
    import pandas as pd


log = logging.getLogger(__name__)

READERS = 8
"""Files read at once: reading waits for the disk or the network."""
STORES = 4
"""Whose verdicts are kept in memory, about 1 KB each."""


class VerdictReader:
    """Reads verdicts; files never change, so each is read once, however often they are asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.known: dict[str, Content] = {}
        self.tables: dict[str, tuple[list[str], pd.DataFrame]] = {}
        self._folders = ListedFolders(store, FOLDER)
        self._latest: dict[str, str] = {}
        self._sent: dict[tuple[str, str], str] = {}
        self._adding = Lock()

    def add(self, *verdicts: Verdict, token: str = "") -> str:
        """Store verdicts about a run that count instead of all known ones about their photographs, in whichever run.

        Known are those that lie in the store now; in an object store those of other runs of a minute ago.

        Args:
            verdicts: of one action: all are stored, or none is.
            token: of a sender who may send again what was stored already, random; stored once. Empty for none.

        Returns:
            The name of the action.
        """
        with self._adding:
            folder = verdict_folder(verdicts[0].run)
            for name, files in self._folders.every(fresh=folder.removeprefix(f"{FOLDER}/")).items():
                self._learn(files_of(name, files))
            if token and (folder, token) in self._sent:
                return self._sent[folder, token]
            latest = max((self._latest.get(verdict.sha256, "") for verdict in verdicts), default="")
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
        return {
            f"{RUNS}/{name}": self._table(f"{RUNS}/{name}", files_of(name, files))
            for name, files in self._folders.every().items()
        }

    def about(self, run: str) -> "pd.DataFrame":
        """Every verdict about a run, a row each with `COLUMNS`, the earliest first."""
        folder = verdict_folder(run)
        return self._table(run, files_of(folder.removeprefix(f"{FOLDER}/"), self._folders.of(folder)))

    def _table(self, run: str, files: list[str]) -> "pd.DataFrame":
        import pandas as pd

        before, table = self.tables.get(run, ([], pd.DataFrame(columns=list(COLUMNS))))
        if run in self.tables and before == files:
            return table
        self._learn(files)
        fresh = files[len(before) :]
        if (
            len(table)
            and files[: len(before)] == before
            and not any(isinstance(self.known[one], Undo) for one in fresh)
        ):
            rows = rows_of({action_of(path): self.known[path] for path in fresh})
            table = pd.concat([table, rows], ignore_index=True) if len(rows) else table
        else:
            table = rows_of({action_of(path): self.known[path] for path in files})
        self.tables[run] = files, table
        return table

    def _learn(self, files: Sequence[str]) -> None:
        """Read the files that are not known yet, and remember the latest time of each photograph, and who sent what."""
        fresh = [path for path in files if path not in self.known]
        if not fresh:
            return
        with ThreadPoolExecutor(READERS) as readers:
            found = dict(zip(fresh, readers.map(self._read, fresh), strict=True))
        for path, content in found.items():
            folder, action = path.rpartition("/")[0], action_of(path)
            self._sent[folder, action.rpartition("-")[2]] = action
            for line in content if isinstance(content, tuple) else ():
                photograph = line.get("sha256", "")
                self._latest[photograph] = max(line["time"], self._latest.get(photograph, ""))
        self.known.update(found)

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


def files_of(name: str, names: Sequence[str]) -> list[str]:
    """Paths of the actions among the files of a run's folder of verdicts, the earliest first."""
    return [f"{FOLDER}/{name}/{file}" for file in names if file.endswith(SUFFIXES) and PARTIAL not in file]


def rows_of(actions: Mapping[str, Content]) -> "pd.DataFrame":
    """The verdicts of actions about one run, a row each with `COLUMNS`."""
    import pandas as pd

    by = undone(actions)
    rows = [
        {"verdict_id": f"{action}-{number}", "action": action, **line, "undone_by": by.get(action, "")}
        for action, content in actions.items()
        if isinstance(content, tuple)
        for number, line in enumerate(content)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_verdicts(store: Store, run: str) -> "pd.DataFrame":
    """Every verdict about a run, a row each with `COLUMNS`, the earliest first."""
    return VerdictReader(store).about(run)


def reader_of(store: Store) -> VerdictReader:
    """The one reader that this process has for a store, for all its lots."""
    return _reader(store.url)


@lru_cache(STORES)
def _reader(url: str) -> VerdictReader:
    return VerdictReader(Store(url))
