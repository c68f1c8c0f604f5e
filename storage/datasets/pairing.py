"""Matching mask files to images by the stem of their names."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from storage.datasets.files import images_in, relative

StemRule = Callable[[str], tuple[str, ...]]
"""The stem of an image -> the stems its mask may have."""


def pair_masks(
    root: Path, images: Iterable[Path], mask_folder: Path, mask_stems: StemRule
) -> tuple[dict[Path, Path], list[str]]:
    """The one mask of each image of a defect type, and every image and mask that is left without a partner.

    Pairs by name, never by position: one missing file must not shift all masks after it.

    Args:
        root: the dataset's root, for the paths in problems.
        images: the images of one defect type.
        mask_folder: where their masks lie; need not exist.
        mask_stems: which mask stems belong to an image stem.

    Returns:
        Image -> mask for the images with exactly one mask, and the problems.
    """
    masks: dict[str, list[Path]] = defaultdict(list)
    for mask in images_in(mask_folder):
        masks[mask.stem].append(mask)
    pairs: dict[Path, Path] = {}
    leased: set[Path] = set()
    problems = []
    for image in images:
        candidates = [mask for stem in mask_stems(image.stem) for mask in masks.get(stem, ())]
        if not candidates:
            problems.append(f"{relative(image, root)} has no mask in {relative(mask_folder, root)}")
        elif len(candidates) > 1:
            names = ", ".join(mask.name for mask in candidates)
            problems.append(f"{relative(image, root)} must have one mask, got {names}")
        else:
            pairs[image] = candidates[0]
        leased.update(candidates)
    unclaimed = (mask for group in masks.values() for mask in group if mask not in leased)
    problems += [f"{relative(mask, root)} belongs to no image" for mask in unclaimed]
    return pairs, problems


def shared_stems(root: Path, images: Iterable[Path]) -> list[str]:
    """One problem per stem that several images of a folder share, as their masks could not be told apart."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        groups[image.stem].append(image)
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
