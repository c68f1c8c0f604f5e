"""MVTec AD 2: the public test set, whose images show several kinds of lighting; the private ones have no labels."""

from collections.abc import Collection
from pathlib import Path

from storage.datasets.category_folders import find_in_folders
from storage.datasets.folder_contents import images_in, relative
from storage.datasets.pairing import labelled_defects, pair_masks, shared_stems
from storage.datasets.records import Found, LabelledImage, Layout

TEST, NORMAL, DEFECTIVE = "test_public", "good", "bad"


def find(root: Path, requested: Collection[str] | None) -> Found:
    """The public test images of each category with their masks; see `storage.datasets.list_categories`."""
    return find_in_folders(root, requested, _list_category, test=TEST)


LAYOUT = Layout(
    find,
    (
        "<category>/test_public/good/000_regular.png",
        "<category>/test_public/bad/000_regular.png",
        "<category>/test_public/ground_truth/bad/000_regular_mask.png",
    ),
    tuple(f"*/{folder}/**" for folder in (TEST, "train", "validation", "test_private", "test_private_mixed")),
)


def _list_category(root: Path, category: str) -> tuple[list[LabelledImage], list[str]]:
    test = root / category / TEST
    if not test.is_dir():
        return [], [f"{category}/{TEST} is missing"]
    good, bad = images_in(test / NORMAL), images_in(test / DEFECTIVE)
    by_type = {NORMAL: good, DEFECTIVE: bad}
    problems = [f"{category}/{TEST}/{name} holds no image" for name, images in by_type.items() if not images]
    pairs, wrong = pair_masks(root, bad, test / "ground_truth" / DEFECTIVE, lambda stem: (f"{stem}_mask",))
    listed = [LabelledImage(relative(image, root), NORMAL, 0) for image in good]
    return listed + labelled_defects(root, bad, DEFECTIVE, pairs), problems + wrong + shared_stems(root, bad)
