"""Images below a dataset's root that its layout does not read: a folder too deep, or one that a tool left there."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from storage.datasets.folder_contents import folders_in, images_in, natural_key
from storage.given_names import SIGN


class UnreadFolder(NamedTuple):
    """A folder whose images are left out."""

    path: str
    """Relative to the root, "/" separated; "." is the root."""
    file_count: int


def unread_folders(root: Path, patterns: Sequence[str], categories: Collection[str] | None) -> tuple[UnreadFolder, ...]:
    """The folders with images that lie in none of a layout's places, in natural order.

    Args:
        patterns: of its layout; see `storage.datasets.records.Layout`.
        categories: only these folders of the root are looked into; all of it where they are no folders, or None.
    """
    tops = [folder for folder in folders_in(root) if folder.name in (categories or ())]
    tops, all_of_root = tops or folders_in(root), not tops
    counts = Counter({folder: len(images_in(Path(root, folder))) for top in tops for folder in _below(root, top)})
    if all_of_root:
        counts["."] = len(images_in(root))
    unread = (UnreadFolder(path, n) for path, n in counts.items() if n and not _is_known(path, patterns))
    return tuple(sorted(unread, key=lambda folder: natural_key(folder.path)))


def describe_unread(folders: Sequence[UnreadFolder]) -> str:
    """What is left out, in one sentence; empty if nothing is.

    >>> describe_unread([UnreadFolder("kos13/kos08", 8), UnreadFolder("previews", 1)])
    'Not read, as they lie outside the layout: 8 image files in kos13/kos08, 1 image file in previews.'
    """
    texts = [f"{count} image {'file' if count == 1 else 'files'} in {path}" for path, count in folders]
    return f"Not read, as they lie outside the layout: {', '.join(texts)}." if texts else ""


def _below(root: Path, top: Path) -> Iterator[str]:
    """A folder and those below it without hidden ones, those of operating systems and stores."""
    for base, names, files in os.walk(top):
        if SIGN in files:  # a store, whose pictures musc has drawn
            names.clear()
            continue
        names[:] = [name for name in names if not name.startswith(".") and name != "__MACOSX"]
        yield Path(base).relative_to(root).as_posix()


def _is_known(folder: str, patterns: Sequence[str]) -> bool:
    return any(_lies_in(folder.split("/"), pattern.split("/")) for pattern in patterns)


def _lies_in(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if pattern[-1] == "**":
        return len(parts) >= len(pattern) - 1 and _alike(parts[: len(pattern) - 1], pattern[:-1])
    return len(parts) == len(pattern) and _alike(parts, pattern)


def _alike(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    return all(map(fnmatchcase, parts, pattern))
