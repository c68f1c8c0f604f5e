"""The digest of a category's labels: another one whenever metrics could come out otherwise, else the same."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from storage.datasets import Category, LabelledImage, Mask, labels_digest

GOOD = LabelledImage("cap/0.png", "good", 0)
BAD = LabelledImage("cap/1.png", "bent", 1, (Mask("masks/1.png"),))
CATEGORY = Category("folder", "cap", (GOOD, BAD))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with the mask, which is only read as bytes; the images are not looked at."""
    (tmp_path / "root" / "masks").mkdir(parents=True)
    (tmp_path / "root" / "masks" / "1.png").write_bytes(b"mask")
    return tmp_path / "root"


def test_labels_digest_does_not_change_with_the_place(root: Path, tmp_path: Path) -> None:
    before = labels_digest(root, CATEGORY)
    shutil.move(root, tmp_path / "moved")
    assert labels_digest(str(tmp_path / "moved"), CATEGORY) == before


def test_labels_digest_changes_with_a_masks_content(root: Path) -> None:
    before = labels_digest(root, CATEGORY)
    (root / "masks" / "1.png").write_bytes(b"knot")
    assert labels_digest(root, CATEGORY) != before


@pytest.mark.parametrize(
    "other",
    [
        replace(CATEGORY, dataset="mvtec_ad"),
        replace(CATEGORY, name="lid"),
        replace(CATEGORY, images=(GOOD,)),
        replace(CATEGORY, images=(BAD, GOOD)),
        replace(CATEGORY, images=(GOOD, replace(BAD, path="cap/2.png"))),
        replace(CATEGORY, images=(GOOD, replace(BAD, label=0))),
        replace(CATEGORY, images=(GOOD, replace(BAD, defect_type="cut"))),
        replace(CATEGORY, images=(GOOD, replace(BAD, masks=()))),
        replace(CATEGORY, images=(GOOD, replace(BAD, masks=(Mask("masks/1.png", 255, 0.5, True),)))),
    ],
    ids=["dataset", "category", "fewer", "order", "path", "label", "type", "no_mask", "saturation"],
)
def test_labels_digest_changes_with_what_is_labelled(root: Path, other: Category) -> None:
    assert labels_digest(root, other) != labels_digest(root, CATEGORY)
