"""Labelled datasets as they lie on disk: which images, which labels, which masks. Local folders only.

A layout is checked as a whole before any work: everything wrong with a root is named in one error. The root and its
categories may be symbolic links to folders elsewhere; a link below that leads out of its category and root is refused.
"""

from collections.abc import Collection
from pathlib import Path

from storage.datasets.folder_contents import natural_key
from storage.datasets.labels_digest import labels_digest
from storage.datasets.layouts import LAYOUTS
from storage.datasets.layouts.mvtec_loco import loco_defects
from storage.datasets.masks import load_mask, load_mask_at
from storage.datasets.records import Category, LabelledImage, Mask
from storage.datasets.unread_images import describe_unread, unread_folders
from storage.datasets.untrusted_paths import links_out
from storage.errors import DatasetLayoutError
from storage.store import require_path

__all__ = [
    "DATASETS",
    "Category",
    "LabelledImage",
    "Mask",
    "labels_digest",
    "left_out_of_dataset",
    "list_categories",
    "load_mask",
    "load_mask_at",
    "loco_defects",
]

DATASETS: tuple[str, ...] = tuple(LAYOUTS)
"""The accepted names; `folder` is anybody's labelled set in the layout of MVTec AD."""

_PROBLEMS_SHOWN = 20


def list_categories(dataset: str, root: Path | str, categories: Collection[str] | None = None) -> list[Category]:
    """The test images of a dataset, category by category, with labels and masks.

    The categories are those found on disk, so a partly unpacked dataset can be used; the benchmark's means are then
    over fewer categories than the published ones.

    Args:
        dataset: one of `DATASETS`.
        categories: names to list, in any order; None lists all. Only these are checked.

    Returns:
        Categories in natural order of their names, each with at least one normal and one defective image.

    Raises:
        ValueError: if `dataset` is not a known name, `root` is empty, or `categories` is empty or a bare string.
        DatasetLayoutError: if the root does not have the dataset's layout or lacks a requested category; the message
            names the problems and shows a correct layout.
    """
    if dataset not in LAYOUTS:
        raise ValueError(f"dataset must be one of {', '.join(DATASETS)}, got {dataset!r}; choose one of them")
    if isinstance(categories, str):
        raise ValueError(f"categories must be a list of names, got the string {categories!r}; use [{categories!r}]")
    if categories is not None and not categories:
        raise ValueError("categories must hold at least one name, got none; leave it out to list all")
    require_path("root", str(root))
    root = Path(root)
    if not root.is_dir():
        raise DatasetLayoutError(f"root must be an existing folder, got {str(root)!r}; check the path")
    listing = LAYOUTS[dataset].find(root, categories)
    if problems := [*listing.problems, *links_out(root, listing.images)]:
        raise DatasetLayoutError(_describe(dataset, root, problems))
    return [
        Category(dataset, name, tuple(sorted(images, key=lambda image: natural_key(image.path))))
        for name, images in sorted(listing.images.items(), key=lambda item: natural_key(item[0]))
    ]


def left_out_of_dataset(dataset: str, root: Path | str, categories: Collection[str] | None = None) -> str:
    """Which images below a dataset's root its layout does not read, in one sentence; empty if it reads all.

    Args:
        dataset: one of `DATASETS`.
        root: the local folder that holds the categories, which must have the layout.
        categories: as for `list_categories`.
    """
    return describe_unread(unread_folders(Path(root), LAYOUTS[dataset].places, categories))


def _describe(dataset: str, root: Path, problems: list[str]) -> str:
    """The text of a layout error: what was found, one problem a line, and what a correct root looks like."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    lines = [f"root must have the layout of {dataset}, got {count} in {str(root)!r}:"]
    lines += [f"  - {problem}" for problem in problems[:_PROBLEMS_SHOWN]]
    if len(problems) > _PROBLEMS_SHOWN:
        lines.append(f"  … and {len(problems) - _PROBLEMS_SHOWN} more")
    lines.append("lay the files out like this:")
    lines += [f"  {line}" for line in LAYOUTS[dataset].example]
    return "\n".join(lines)
