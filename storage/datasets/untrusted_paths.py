"""Paths and links made by strangers: only those to files inside the root, or where the user links a category to, are
followed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from storage.datasets.records import LabelledImage
from storage.given_names import one_form
from storage.images.links import LEADS_OUT, Bounds


def path_problem(root: Path, text: str, category: str, *, may_lack: bool = False) -> str | None:
    """What is wrong with a path read from a dataset's table; None when it may be opened.

    Args:
        text: the path as written.
        category: whose image or mask it is; its folder in the root may be a link to elsewhere.
        may_lack: whether the path may be empty, or that of no file.

    Returns:
        The rest of a sentence such as "must stay inside the root, got '../x.png'".
    """
    if not text:
        return None if may_lack else "is not named"
    if problem := text_problem(text):
        return problem
    try:
        target = (root / text).resolve()
        exists, inside = target.is_file(), Bounds(root, category).holds(text)
    except (OSError, RuntimeError, ValueError) as error:  # too long, links in a circle, a NUL
        return f"must be a usable path, got {text!r:.60} ({error})"
    if not inside:
        return f"must stay inside the root, got {text!r}, a link to {str(target)!r}: {LEADS_OUT}"
    return None if exists or may_lack else f"{text!r} is missing"


def text_problem(text: str) -> str | None:
    """What is wrong with a path of a table by its letters alone; None where it may be looked up."""
    # A drive or a leading slash would replace the root when joined to it.
    if PurePosixPath(text).is_absolute() or PureWindowsPath(text).anchor:
        return f"must be relative to the root, got {text!r}"
    if ".." in (*PurePosixPath(text).parts, *PureWindowsPath(text).parts):
        return f"must stay inside the root, got {text!r}"
    return None


class Spelling:
    """Paths of a dataset's tables as its disk spells them, which may hold another Unicode normal form of a name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: dict[Path, dict[str, str]] = {}

    def on_disk(self, text: str) -> str:
        """The path of the file that is meant; the text itself where there is none, or where it must not be followed."""
        try:
            if text_problem(text) or (self.root / text).exists():
                return text
            folder = self.root
            for part in PurePosixPath(text).parts:
                folder = folder / self.of_folder(folder).get(one_form(part), part)
            return folder.relative_to(self.root).as_posix() if folder.exists() else text
        except (OSError, ValueError):  # too long, a NUL
            return text

    def of_folder(self, folder: Path) -> dict[str, str]:
        """The names in a folder, by the form in which names are compared; read once."""
        if folder not in self.names:
            there = sorted(folder.iterdir()) if folder.is_dir() else []
            self.names[folder] = {one_form(file.name): file.name for file in there}
        return self.names[folder]


def links_out(root: Path, images: Mapping[str, Sequence[LabelledImage]]) -> list[str]:
    """One problem per symbolic link below a category that leads out of it and of the root.

    Args:
        images: of each category, by its name.
    """
    problems = []
    for category, listed in images.items():
        bounds = Bounds(root, category)
        paths = [path for image in listed for path in (image.path, *(mask.path for mask in image.masks))]
        for link, count in Counter(filter(None, map(bounds.way_out, paths))).items():
            files = f"{count} images or masks" if count > 1 else "an image or mask"
            problems.append(f"{link}: {LEADS_OUT}, to {files}; put files there, or make the category itself a link")
    return problems
