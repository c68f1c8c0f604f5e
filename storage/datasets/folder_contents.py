"""Folder contents: images in natural order, without hidden files and those of operating systems."""

import re
from pathlib import Path

from storage.images.listing import SUFFIXES


def natural_key(path: str) -> tuple[object, ...]:
    """The key by which paths sort as people count: folder by folder, `2.png` before `10.png`.

    Equal keys would let two files swap between machines, so the path itself breaks ties (`01.png`, `1.png`).
    """
    folders = tuple(
        tuple(int(piece) if index % 2 else piece for index, piece in enumerate(re.split(r"(\d+)", part)))
        for part in path.split("/")
    )
    return (folders, path)


def images_in(folder: Path) -> list[Path]:
    """The image files directly in a folder, in natural order; none when there is no such folder."""
    return [entry for entry in _entries(folder) if entry.suffix.lower() in SUFFIXES and entry.is_file()]


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in a folder, in natural order; none when there is no such folder."""
    return [entry for entry in _entries(folder) if entry.is_dir()]


def relative(path: Path, root: Path) -> str:
    """The path below `root`, "/" separated on every system."""
    return path.relative_to(root).as_posix()


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    visible = (entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.name != "__MACOSX")
    return sorted(visible, key=lambda entry: natural_key(entry.name))
