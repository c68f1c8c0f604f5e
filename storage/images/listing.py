"""Listing: look at the files of a folder and give each a status, so that a bad file is a row and never stops the lot.

| status | what the file is | scored |
|---|---|---|
| `ok` | an image | yes |
| `duplicate` | the same bytes as an earlier file, named in the reason: a copy would hide a defect | no |
| `not_an_image` | its name does not end like an image's, or it is no regular file | no |
| `unreadable` | empty, damaged, truncated, of unknown range, not permitted, out of reach, or its name not UTF-8 | no |
| `too_large` | more pixels than is safe to decode | no |
| `outside` | a symbolic link that leads out of the folder, or to a folder | no |
| `results` | the folder of a store, in which earlier results lie: what is below it has no rows | no |
| `not_finite` | its features hold NaN or infinity | no |

Folders below are searched too; names that begin with a dot are left out. Links on the way to the folder are followed.
"""

import errno
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath

from storage.errors import NoImagesError, UnreadableImageError
from storage.given_names import SIGN
from storage.images.decode import TooLargeImageError, read_header
from storage.images.least_images import LEAST_IMAGES, require_enough
from storage.images.links import LEADS_OUT, Bounds
from storage.images.lots import DENIED, SAME_BYTES, USABLE, ListedImage
from storage.store import Store, is_utf8, rename_advice, require_path

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".jp2"})
"""File names that promise an image."""
NOT_OF_ONE_FILE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN}
"""Errors of the machine or of a mounted share: they strike all files alike and may be gone in a few seconds."""
RESULTS = "a store with results of musc; nothing below it was looked at"
READERS = 8
"""Files read at once while listing: reading waits for the disk or the network, not for the CPU."""


def list_folder(url: str, *, keep_duplicates: bool = False) -> list[ListedImage]:
    """List every file below a folder, sorted by path, each with a status.

    Args:
        url: a path or URL.
        keep_duplicates: score repeated content too, as benchmarks must to match published numbers.

    Raises:
        NoImagesError: if the folder is missing or holds no file at all.
        ValueError: if the path is empty.
    """
    folder = require_folder(url)
    paths = sorted(paths_below(folder))
    if not paths:
        raise NoImagesError(f"folder must hold images, got {url}, which holds no file; check the path")
    return list_files(folder, paths, keep_duplicates=keep_duplicates)


def list_files(
    folder: Store, paths: Sequence[str], *, lot: str = "", keep_duplicates: bool = False
) -> list[ListedImage]:
    """List the named files of a folder, in the order given, each with a status.

    Args:
        folder: what the paths are relative to.
        lot: name of the lot's own folder in it, which the user may have made a link to elsewhere.
        keep_duplicates: score repeated content too.
    """
    bounds = Bounds(Path(folder.full("")), lot)
    with ThreadPoolExecutor(READERS) as readers:
        rows = list(readers.map(lambda path: _list_file(folder, path, bounds), paths))
    return list(_numbered(rows, keep_duplicates))


def require_folder(url: str, option: str = "folder") -> Store:
    """The folder at a path or URL that an option names.

    Raises:
        NoImagesError: if there is no such folder, or it is itself a store.
        ValueError: if the path is empty.
    """
    require_path(option, url)
    folder = Store(url)
    if not folder.filesystem.isdir(folder.full("")):
        problem = "is a file" if folder.exists("") else "does not exist"
        raise NoImagesError(f"{option} must be an existing folder, got {url}, which {problem}; check the path")
    if folder.exists(SIGN):
        raise NoImagesError(f"{option} must hold photographs, got {url}, which is {RESULTS}; check the path")
    return folder


def require_images(url: str, least: int = LEAST_IMAGES, store: Store | None = None) -> None:
    """Refuse a folder at once if by the names of its files it cannot be scored; image files are not read.

    Args:
        store: keeps the listing of a folder that is refused; None keeps none.

    Raises:
        NoImagesError: if there is no such folder, or fewer files than `least` are called like images.
    """
    names = (path for path in paths_below(require_folder(url)) if has_image_name(path))
    if sum(1 for _ in islice(names, least)) < least:
        require_enough(list_folder(url), url, least, store)


def paths_below(folder: Store) -> Iterator[str]:
    """Paths of all files, linked folders and folders that cannot be opened, without hidden ones; relative.

    Of a store in the folder only its sign is given, whose path ends in `SIGN`: what musc has written is no photograph.
    """
    if not folder.is_local:
        yield from visible_paths(folder.sizes(""))
        return
    root = folder.full("")
    closed: list[OSError] = []
    for base, folders, files in os.walk(root, onerror=closed.append):
        if SIGN in files and base != root:
            yield Path(base, SIGN).relative_to(root).as_posix()
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(base, name).is_symlink()]
        for name in (*files, *links):
            if not name.startswith("."):
                yield Path(base, name).relative_to(root).as_posix()
    yield from (Path(error.filename).relative_to(root).as_posix() for error in closed)


def visible_paths(paths: Iterable[str]) -> Iterator[str]:
    """Of all paths in an object store those that are not hidden, and of a store in it only its sign."""
    listed = list(paths)
    stores = tuple(path.removesuffix(SIGN) for path in listed if path.endswith(f"/{SIGN}"))
    for path in listed:
        is_sign = path.endswith(f"/{SIGN}")
        is_hidden = any(part.startswith(".") for part in path.split("/"))
        if is_sign or not (is_hidden or path.startswith(stores)):
            yield path


def has_image_name(path: str) -> bool:
    """Whether a file is called like an image."""
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def _list_file(folder: Store, path: str, bounds: Bounds) -> ListedImage:
    """Read one file and judge it by its name, its place and its header."""
    shown = path.encode("utf-8", "backslashreplace").decode()
    if path.endswith(f"/{SIGN}"):
        return ListedImage("", shown.removesuffix(f"/{SIGN}"), "", 0, 0, "results", RESULTS)
    row = ListedImage("", shown, "", 0, 0, USABLE, "")
    refusal = _refused_by_name(folder, path, bounds)
    if refusal:
        return replace(row, status=refusal[0], reason=refusal[1])
    try:
        content = folder.read(path)
    except FileNotFoundError:
        return replace(row, status="unreadable", reason="the file is gone, or a link to nowhere")
    except PermissionError as error:
        return replace(row, status="unreadable", reason=f"{DENIED} ({type(error).__name__})")
    except OSError as error:
        if not folder.is_local or error.errno in NOT_OF_ONE_FILE:
            raise  # an object store's errors are those of the network, which a retry may mend
        return replace(row, status="unreadable", reason=f"{DENIED} ({error.strerror or error})")
    row = replace(row, sha256=hashlib.sha256(content).hexdigest())
    try:
        header = read_header(content)
    except TooLargeImageError as error:
        return replace(row, status="too_large", reason=str(error))
    except UnreadableImageError as error:
        return replace(row, status="unreadable", reason=str(error))
    return replace(row, width=header.width, height=header.height, reason=header.remark)


def _refused_by_name(folder: Store, path: str, bounds: Bounds) -> tuple[str, str] | None:
    """Status and reason of a file that is not even opened."""
    if not is_utf8(path):
        return "unreadable", f"its name is no valid UTF-8; {rename_advice()}"
    refusal = _refused_by_place(bounds, path) if folder.is_local else None
    if refusal:
        return refusal
    if not has_image_name(path):
        return "not_an_image", f"names of images end in {', '.join(sorted(SUFFIXES))}"
    return None


def _refused_by_place(bounds: Bounds, path: str) -> tuple[str, str] | None:
    """Status and reason of a local file that is a link to elsewhere, or nothing that can be read to its end."""
    try:
        if not bounds.holds(path):
            return "outside", LEADS_OUT
        path_in_root = bounds.root / path
        if path_in_root.is_dir():
            return (
                ("outside", "symbolic link to a folder is not followed")
                if path_in_root.is_symlink()
                else ("unreadable", "the folder cannot be listed")
            )
        if path_in_root.exists() and not path_in_root.is_file():
            return "not_an_image", "it is no regular file"
    except RuntimeError:
        return "unreadable", "symbolic links lead in a circle"
    except OSError as error:  # folders that may not be entered
        return "unreadable", f"the file cannot be reached ({type(error).__name__})"
    return None


def _numbered(rows: Sequence[ListedImage], keep_duplicates: bool) -> Iterator[ListedImage]:
    """Give every row its id, and rows of repeated content their status."""
    first_of: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        content = row.sha256 or hashlib.sha256(row.path.encode()).hexdigest()
        counts[content] += 1
        count = counts[content]
        row = replace(row, image_id=content[:16] if count == 1 else f"{content[:16]}-{count}")
        if row.status == USABLE and not keep_duplicates and content in first_of:
            row = replace(row, status="duplicate", reason=f"{SAME_BYTES} {first_of[content]}")
        first_of.setdefault(content, row.path)
        yield row
