"""The lots below one root, as nights leave them: `<root>/<category>/<lot>/…images`.

| what lies there | what it is |
|---|---|
| a folder two levels below the root | a lot; what lies deeper belongs to it |
| the folder's name begins with a date, as `storage.images.folder_dates` reads it | the lot's date |
| the folder's name begins with no date (`order-4711`) | a lot all the same, without a date |
| a file directly below the root or a category | no lot; left out and said so |
| a symbolic link in the root to a folder elsewhere | a category: the user put it there |
| a symbolic link in the root to what holds the root or lies in it | no category; left out and said so |
| a symbolic link in a category | no lot; left out and said so |
| a store, in which results lie | no lot; left out and said so |
| a folder that cannot be opened | no lot; left out and said so |
| a name that begins with a dot | not looked at |
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from storage.given_names import SIGN, one_form
from storage.images.folder_dates import date_of
from storage.images.listing import RESULTS, require_folder
from storage.store import Store


@dataclass(frozen=True)
class FoundLot:
    """A folder of images of one product."""

    category: str
    folder: str
    """Path or URL."""
    name: str
    """Of the folder."""
    date: date | None
    """At the beginning of the folder's name, if there is one."""

    @property
    def lot(self) -> str:
        """What the lot is called among those of all categories."""
        return f"{self.category}-{self.name}"


@dataclass(frozen=True)
class LeftOut:
    """Something below the root that belongs to no lot."""

    path: str
    reason: str


@dataclass(frozen=True)
class LotTree:
    """What lies below a root."""

    categories: tuple[str, ...]
    lots: tuple[FoundLot, ...]
    """By date, the oldest first, then those without a date; by name among equals."""
    left_out: tuple[LeftOut, ...]


def find_lots(root: str) -> LotTree:
    """Find all lots below a root; looks at names only, never into a lot.

    Args:
        root: path or URL of a folder.

    Raises:
        NoImagesError: if there is no such folder.
        ValueError: if the path is empty.
    """
    store = require_folder(root, "root")
    store.filesystem.invalidate_cache()
    left_out: list[LeftOut] = []
    categories = list(_folders(store, "", left_out))
    lots = [
        FoundLot(one_form(category), f"{root.rstrip('/')}/{category}/{name}", name, date_of(name))
        for category in categories
        for name in _folders(store, category, left_out)
    ]
    return LotTree(tuple(dict.fromkeys(map(one_form, categories))), tuple(in_order(lots)), tuple(left_out))


def in_order(lots: Sequence[FoundLot]) -> list[FoundLot]:
    """The oldest first, so that each night is compared with the nights before it; those without a date last."""
    return sorted(lots, key=lambda lot: (lot.date or date.max, lot.category, lot.name))


def _folders(store: Store, path: str, left_out: list[LeftOut]) -> Iterator[str]:
    """Names of the folders in a folder, sorted; what else is there is noted."""
    base = store.full(path)
    try:
        entries: list[dict[str, object]] = store.filesystem.ls(base, detail=True)
    except PermissionError:
        left_out.append(LeftOut(path, "the folder cannot be opened"))
        return
    for entry in sorted(entries, key=lambda entry: str(entry["name"])):
        full = str(entry["name"]).rstrip("/")
        name = full.rpartition("/")[2]
        if full == base.rstrip("/") or name.startswith("."):  # object stores list a folder's own marker
            continue
        below = f"{path}/{name}".lstrip("/")
        refusal = _why_refused(store, below, entry)
        if refusal:
            left_out.append(LeftOut(below, refusal))
        else:
            yield name


def _why_refused(store: Store, path: str, entry: dict[str, object]) -> str:
    """Why something in the root or in a category is neither a category nor a lot; empty if it is one."""
    if entry["type"] == "directory":
        return RESULTS if store.filesystem.exists(store.full(f"{path}/{SIGN}")) else ""
    if not entry.get("islink") or store.filesystem.isfile(store.full(path)):
        return "a file outside any lot; lots are folders in a category's folder"
    if not store.filesystem.isdir(store.full(path)):
        return "symbolic link leads nowhere, or to a folder that cannot be reached"
    if "/" in path:
        return "symbolic link in a category is not followed; put the lot's folder there, or make the category a link"
    root, target = Path(store.full("")).resolve(), Path(store.full(path)).resolve()
    if target.is_relative_to(root) or root.is_relative_to(target):
        return "symbolic link leads to what holds the root or lies in it; its lots would be scored twice"
    return ""
