"""Matching mask files to images by the stem of their names."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from storage.datasets.folder_contents import images_in, relative
from storage.datasets.records import LabelledImage, Mask
from storage.given_names import one_form

StemRule = Callable[[str], tuple[str, ...]]
"""The stem of an image -> the stems its mask may have."""


def pair_masks(
    root: Path, images: Iterable[Path], mask_folder: Path, mask_stems: StemRule
) -> tuple[dict[Path, Path], list[str]]:
    """The mask of each image of a defect type that has one, and what does not fit.

    Pairs by name, never by position: one missing file must not shift all masks after it. A missing mask is no problem
    by itself: metrics of pixels then leave the image out. Beside a mask that belongs to no image it is one, since
    either name may be wrong.

    Args:
        root: the dataset's root, for the paths in problems.
        mask_folder: where their masks lie; need not exist.
        mask_stems: which mask stems belong to an image stem.

    Returns:
        Image -> mask for the images with exactly one mask, and the problems: several masks for an image, masks that
        belong to none, and then also the images without one.
    """
    masks: dict[str, list[Path]] = defaultdict(list)
    for mask in images_in(mask_folder):
        masks[one_form(mask.stem)].append(mask)
    pairs: dict[Path, Path] = {}
    leased: set[Path] = set()
    problems, without = [], []
    for image in images:
        candidates = [mask for stem in mask_stems(one_form(image.stem)) for mask in masks.get(stem, ())]
        if not candidates:
            without.append(f"{relative(image, root)} has no mask in {relative(mask_folder, root)}")
        elif len(candidates) > 1:
            names = ", ".join(mask.name for mask in candidates)
            problems.append(f"{relative(image, root)} must have one mask, got {names}")
        else:
            pairs[image] = candidates[0]
        leased.update(candidates)
    unclaimed = [mask for group in masks.values() for mask in group if mask not in leased]
    if unclaimed:
        problems = [*without, *problems, *(f"{relative(mask, root)} belongs to no image" for mask in unclaimed)]
    return pairs, problems


def labelled_defects(
    root: Path, images: Iterable[Path], defect_type: str, pairs: Mapping[Path, Path]
) -> list[LabelledImage]:
    """The images of one defect type, each with the mask it has, if any."""
    masks = {image: (Mask(relative(mask, root)),) for image, mask in pairs.items()}
    return [LabelledImage(relative(image, root), defect_type, 1, masks.get(image, ())) for image in images]


def shared_stems(root: Path, images: Iterable[Path]) -> list[str]:
    """One problem per stem that several images of a folder share, as their masks could not be told apart."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        groups[one_form(image.stem)].append(image)
    return [
        f"{relative(group[0], root)} must have a stem of its own, got {', '.join(image.name for image in group)}"
        for group in groups.values()
        if len(group) > 1
    ]


def orphan_types(root: Path, category: str, mask_types: Iterable[str], image_types: Iterable[str]) -> list[str]:
    """One problem per folder of masks whose type has no folder of images."""
    known = set(image_types)
    return [
        f"{category}/ground_truth/{name} holds masks without {category}/test/{name}"
        for name in mask_types
        if name not in known and images_in(root / category / "ground_truth" / name)
    ]
