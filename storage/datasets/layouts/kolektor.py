"""KolektorSDD and KolektorSDD2: an image is defective where the mask beside it marks anything, so masks are opened."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from storage.datasets.folder_contents import folders_in, images_in, relative
from storage.datasets.masks import read_grey
from storage.datasets.records import Found, LabelledImage, Layout, Mask
from storage.errors import UnreadableImageError
from storage.given_names import one_form

NORMAL, DEFECTIVE = "good", "defective"


def find_sdd(root: Path, requested: Collection[str] | None) -> Found:
    """All images of KolektorSDD, which are one category; see `storage.datasets.list_categories`."""
    items = [folder for folder in folders_in(root) if folder.name.startswith("kos")]
    if not items:
        return Found({}, ["no folder kos01, kos02 … found; the root is the folder that holds them"])
    return _one_category("kolektor_sdd", requested, partial(_label_by_mask, root, items, "_label"))


def find_sdd2(root: Path, requested: Collection[str] | None) -> Found:
    """The test images of KolektorSDD2, which are one category; see `storage.datasets.list_categories`."""
    if not (root / "test").is_dir():
        return Found({}, ["test is missing; the root is the folder that holds test and train"])
    return _one_category("kolektor_sdd2", requested, partial(_label_by_mask, root, [root / "test"], "_GT"))


SDD = Layout(find_sdd, ("kos01/Part0.jpg", "kos01/Part0_label.bmp (all 0 where nothing is defective)"), ("kos*",))
SDD2 = Layout(
    find_sdd2, ("test/20000.png", "test/20000_GT.png (all 0 where nothing is defective)"), ("test", "train/**")
)


def _one_category(name: str, requested: Collection[str] | None, label: partial[Found]) -> Found:
    unknown = sorted(set(requested or ()) - {name})
    if unknown:
        return Found({}, [f"category {category!r} is unknown; known: {name}" for category in unknown])
    return label(name)


def _label_by_mask(root: Path, folders: list[Path], ending: str, category: str) -> Found:
    """The images of some folders, each labelled by the mask that is called like it with an ending."""
    listed: list[LabelledImage] = []
    problems: list[str] = []
    for folder in folders:
        files = images_in(folder)
        masks = {one_form(file.stem.removesuffix(ending)): file for file in files if file.stem.endswith(ending)}
        images = [file for file in files if not file.stem.endswith(ending)]
        stems = [one_form(image.stem) for image in images]
        problems += [f"{relative(file, root)} belongs to no image" for stem, file in masks.items() if stem not in stems]
        problems += [
            f"{relative(image, root)} must have a stem of its own in its folder, as one mask is called like it"
            for image in images
            if stems.count(one_form(image.stem)) > 1
        ]
        for image in images:
            if one_form(image.stem) not in masks:
                problems.append(f"{relative(image, root)} has no mask, which alone tells whether it is defective")
                continue
            try:
                defective = read_grey(masks[one_form(image.stem)]).getbbox() is not None
            except UnreadableImageError as error:
                problems.append(str(error))
                continue
            mask = (Mask(relative(masks[one_form(image.stem)], root)),) if defective else ()
            listed.append(LabelledImage(relative(image, root), (NORMAL, DEFECTIVE)[defective], int(defective), mask))
    if not problems:
        counts = {label: sum(image.label == label for image in listed) for label in (0, 1)}
        problems += [f"there is no {(NORMAL, DEFECTIVE)[label]} image" for label, count in counts.items() if not count]
    return Found({category: listed}, problems)
