"""Checks of the root: whether it is mounted and readable, and whether the newest lot is as new as it should be."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from planning.nights.check_lines import CheckLine, fails, ok, warning
from reports.run_record import RunRecord, read_record
from reports.sentences import counted
from storage.errors import NoImagesError, StorageError
from storage.images.listing import has_image_name, paths_below
from storage.images.lot_tree import FoundLot, find_lots
from storage.results.runs import FOLDER, Run, results_of
from storage.store import Store

NIGHTS_LOOKED_AT = 10
"""From whose distances the usual one is taken: weekends and holidays are among them."""
RUNS_LOOKED_FOR = 30
"""Newest lots among which the newest one with a run is sought."""


def check_root(root: str, output: str, category: str | None = None) -> CheckLine:
    """Whether the root is there, holds lots, and one of its photographs can be read.

    A share that is not mounted is an empty folder: where the store has runs of this root's lots, no lots are an error.
    """
    tree = find_lots(root)
    if category is not None and category not in tree.categories:
        there = ", ".join(tree.categories) or "none"
        return fails("root", f"{root} has no category {category}; there are {there}", "check the name, and the mount")
    lots = [found for found in tree.lots if category in (None, found.category)]
    if not lots:
        known = len(results_of(Store(output), FOLDER))
        advice = "see whether its share is mounted, or whether it is the right folder"
        if known:
            return fails("root", f"{root} holds no lot, though the store has {counted(known, 'run')}", advice)
        return warning("root", f"{root} holds no lot yet", advice)
    for found in reversed(lots):
        folder = Store(found.folder)
        photograph = next((path for path in paths_below(folder) if has_image_name(path)), None)
        if photograph:
            size = len(folder.read(photograph))
            return ok(
                "root",
                f"{root}: {counted(len(lots), 'lot')}; {found.category}/{found.name}/{photograph} read, {size:,} bytes",
            )
    text = f"{root}: {counted(len(lots), 'lot')}, none of which holds a photograph"
    return fails("root", text, "see what fills the folders")


def check_newest_lot(root: str, category: str | None, today: date) -> CheckLine:
    """Whether the newest lot is no older than the usual distance between nights."""
    dated = [found for found in lots_below(root, category) if found.date]
    if not dated:
        return ok("newest lot", "no lot has a date in its name, so nothing is expected")
    newest = dated[-1]
    return age_line(f"{newest.category}/{newest.name}", sorted({found.date for found in dated if found.date}), today)


def age_line(name: str, nights: Sequence[date], today: date) -> CheckLine:
    """Compare the age of the newest lot with the distances between the last nights.

    Args:
        name: of the newest lot.
        nights: dates of all lots, each once, oldest first.
        today: in local time.
    """
    gaps = [(later - earlier).days for earlier, later in pairwise(nights[-NIGHTS_LOOKED_AT:])]
    age = (today - nights[-1]).days
    if not gaps:
        return ok("newest lot", f"{name}, days old: {age}; it is the first night, so nothing is expected")
    usual = max(gaps)
    text = f"{name}, days old: {age}; most days between the last nights: {usual}"
    if age > 2 * usual:
        return fails("newest lot", text, "see whether the cameras' photographs still arrive below the root")
    if age > usual:
        return warning("newest lot", text, "see whether the photographs of the last nights are late")
    return ok("newest lot", text)


def lots_below(root: str, category: str | None) -> list[FoundLot]:
    """The lots of a category, or of all; as `find_lots` orders them."""
    return [found for found in find_lots(root).lots if category in (None, found.category)]


def newest_lot(root: str, category: str | None) -> FoundLot:
    """The latest by its date, else the last one by name.

    Raises:
        NoImagesError: if there is none.
    """
    lots = lots_below(root, category)
    if not lots:
        raise NoImagesError(f"root must hold a lot, got {root} without any; see the line of the root")
    dated = [found for found in lots if found.date]
    return (dated or lots)[-1]


def newest_record(root: str, category: str | None, output: str) -> RunRecord | None:
    """The record of the newest lot that has a run; None if none can be read."""
    store = Store(output)
    try:
        lots, runs = lots_below(root, category), results_of(store, FOLDER)
    except (StorageError, ValueError, OSError):
        return None
    for found in list(reversed([found for found in lots if found.date]))[:RUNS_LOOKED_FOR]:
        for path in (path for path in runs if path.startswith(f"{FOLDER}/{found.lot}-")):
            try:
                return read_record(Run(store, path))
            except (StorageError, ValueError, OSError):  # of another release, or not finished
                continue
    return None
