"""MVTec AD, and people's own labelled sets in its layout (`folder`)."""

from collections.abc import Collection
from pathlib import Path

from storage.datasets.category_folders import find_in_folders, images_by_type
from storage.datasets.folder_contents import folders_in, images_in, relative
from storage.datasets.pairing import labelled_defects, orphan_types, pair_masks, shared_stems
from storage.datasets.records import Found, LabelledImage, Layout

NORMAL = "good"


def find(root: Path, requested: Collection[str] | None) -> Found:
    """The test images of each category with their masks; see `storage.datasets.list_categories`."""
    return find_in_folders(root, requested, _list_category)


LAYOUT = Layout(
    find,
    (
        "<category>/test/good/000.png",
        "<category>/test/<type>/000.png",
        "<category>/ground_truth/<type>/000_mask.png (or 000.png; another image suffix is fine)",
    ),
    ("*/test/*", "*/ground_truth/*", "*/train/**"),
)


def _list_category(root: Path, category: str) -> tuple[list[LabelledImage], list[str]]:
    by_type, problems = images_by_type(root, category, required=(NORMAL,))
    if not by_type:
        return [], problems
    if set(by_type) == {NORMAL}:
        problems.append(f"{category}/test must hold a defect type beside {NORMAL}, got none")
    ground_truth = root / category / "ground_truth"
    mask_types = [folder.name for folder in folders_in(ground_truth)]
    if stray := images_in(ground_truth):
        problems.append(f"{category}/ground_truth must hold one folder per type, got {len(stray)} masks beside them")
    # Some tools also write empty masks for normal images.
    problems += orphan_types(root, category, mask_types, {*by_type, NORMAL})
    listed = [LabelledImage(relative(image, root), NORMAL, 0) for image in by_type.pop(NORMAL, [])]
    for name, images in by_type.items():
        pairs, wrong = pair_masks(root, images, ground_truth / name, lambda stem: (f"{stem}_mask", stem))
        problems += wrong + shared_stems(root, images)
        listed += labelled_defects(root, images, name, pairs)
    return listed, problems
