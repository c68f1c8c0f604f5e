"""BTAD (beanTech): three products, images in png or bmp, masks with the image's stem and any suffix."""

from collections.abc import Collection
from pathlib import Path

from storage.datasets.category_folders import find_in_folders, images_by_type, unexpected_types
from storage.datasets.folder_contents import relative
from storage.datasets.pairing import labelled_defects, pair_masks, shared_stems
from storage.datasets.records import Found, LabelledImage, Layout

NORMAL, DEFECTIVE = "ok", "ko"


def find(root: Path, requested: Collection[str] | None) -> Found:
    """The test images of each category with their masks; see `storage.datasets.list_categories`."""
    return find_in_folders(root, requested, _list_category)


LAYOUT = Layout(
    find,
    (
        "01/test/ok/0000.bmp (01, 02 and 03; bmp or png)",
        "01/test/ko/0000.bmp",
        "01/ground_truth/ko/0000.png (the image's stem; bmp or png)",
    ),
    ("*/test/*", "*/ground_truth/*", "*/train/**"),
)


def _list_category(root: Path, category: str) -> tuple[list[LabelledImage], list[str]]:
    types = (NORMAL, DEFECTIVE)
    by_type, problems = images_by_type(root, category, required=types)
    problems += unexpected_types(category, by_type, types)
    listed = [LabelledImage(relative(image, root), NORMAL, 0) for image in by_type.get(NORMAL, [])]
    if DEFECTIVE in by_type:
        images = by_type[DEFECTIVE]
        pairs, wrong = pair_masks(root, images, root / category / "ground_truth" / DEFECTIVE, lambda stem: (stem,))
        problems += wrong + shared_stems(root, images)
        listed += labelled_defects(root, images, DEFECTIVE, pairs)
    return listed, problems
