"""What the layouts with a folder per category share: where categories are, and their images by defect type."""

from collections.abc import Callable, Collection
from pathlib import Path

from storage.datasets.folder_contents import folders_in, images_in, natural_key, relative
from storage.datasets.records import Found, LabelledImage
from storage.given_names import one_form

CategoryLister = Callable[[Path, str], tuple[list[LabelledImage], list[str]]]
"""(root, category) -> its images and the problems met."""

_SIGNS = ("ground_truth", "train")
"""A folder that holds any of these, or test images, is a category, complete or not."""


def find_in_folders(
    root: Path, requested: Collection[str] | None, list_category: CategoryLister, *, test: str = "test"
) -> Found:
    """The images of every requested category below a root, by the layout `list_category` knows.

    Args:
        root: an existing folder.
        requested: category names, or None for all that are there; only these are looked into.
        test: name of the folder of test images in each category.
    """
    if (root / test).is_dir():
        folder = root.resolve()
        return Found(
            {},
            [
                f"the root is itself one category (it holds {test}/); use its parent {str(folder.parent)!r} as the "
                f"root and {folder.name!r} as the category"
            ],
        )
    signs = (test, *_SIGNS)
    present = _categories_in(root, signs)
    if not present:
        return Found({}, [f"no category found{_nested_root_hint(root, signs)}"])
    name_of = {one_form(name): name for name in present}
    names = (
        present
        if requested is None
        else sorted({name_of.get(one_form(name), name) for name in requested}, key=natural_key)
    )
    images: dict[str, list[LabelledImage]] = {}
    problems: list[str] = []
    for name in names:
        if name not in present:
            problems.append(f"category {name!r} is unknown; known: {', '.join(present)}")
            continue
        images[name], more = list_category(root, name)
        problems += more
    return Found(images, problems)


def images_by_type(root: Path, category: str, required: Collection[str]) -> tuple[dict[str, list[Path]], list[str]]:
    """The images of `<category>/test/<type>/` by type, in natural order, and what is wrong with those folders.

    Args:
        required: the types that must be there and hold at least one image.
    """
    test = root / category / "test"
    if not test.is_dir():
        return {}, [f"{category}/test is missing"]
    problems = []
    if stray := images_in(test):
        found = "1 image" if len(stray) == 1 else f"{len(stray):,} images"
        problems.append(f"{category}/test must hold one folder per type, got {found} beside them")
    images = {folder.name: images_in(folder) for folder in folders_in(test)}
    problems += [f"{category}/test/{name} is missing" for name in required if name not in images]
    problems += [f"{category}/test/{name} holds no image" for name, files in images.items() if not files]
    problems += [
        f"{relative(nested, root)} must not be a folder; images lie directly in test/<type>"
        for folder in folders_in(test)
        for nested in folders_in(folder)
    ]
    return images, problems


def unexpected_types(category: str, types: Collection[str], allowed: Collection[str]) -> list[str]:
    """One problem per type folder that a layout with fixed types does not know."""
    return [
        f"{category}/test/{name} is not a type of this dataset; known: {', '.join(allowed)}"
        for name in types
        if name not in allowed
    ]


def _categories_in(root: Path, signs: Collection[str]) -> list[str]:
    return [folder.name for folder in folders_in(root) if any((folder / sign).is_dir() for sign in signs)]


def _nested_root_hint(root: Path, signs: Collection[str]) -> str:
    for folder in folders_in(root):
        if _categories_in(folder, signs):
            return f"; {str(folder)!r} looks like the root"
    return ""
