"""Listing and masks against what the authors' code made of 16 photographs, and a larger real set."""

import json
from pathlib import Path

import numpy as np
import pytest

from storage.datasets import Category, list_categories, load_mask, load_mask_at


@pytest.fixture(scope="module", params=["mvtec_ad", "folder"])
def listed(request: pytest.FixtureRequest, reference_folder: Path) -> Category:
    return list_categories(request.param, reference_folder / "dataset")[0]


def test_reference_order_is_reproduced(listed: Category, reference_folder: Path) -> None:
    expected = json.loads((reference_folder / "reference.json").read_text(encoding="utf-8"))["paths"]
    assert [image.path for image in listed.images] == expected


def test_reference_labels_are_reproduced(listed: Category, reference_stages: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal([image.label for image in listed.images], reference_stages["labels"])


def test_reference_masks_are_reproduced(
    listed: Category, reference_folder: Path, reference_stages: dict[str, np.ndarray]
) -> None:
    root = reference_folder / "dataset"
    masks = [load_mask_at(root, image, (112, 112), listed.dataset) for image in listed.images]
    np.testing.assert_array_equal(masks, reference_stages["masks"] == 1)


def test_magnetic_tiles_are_all_listed(magnetic_tiles: Path) -> None:
    images = list_categories("folder", magnetic_tiles)[0].images
    on_disk = {path.relative_to(magnetic_tiles).as_posix() for path in magnetic_tiles.rglob("test/*/*.jpg")}
    assert {image.path for image in images} == on_disk


def test_magnetic_tiles_have_marked_defects(magnetic_tiles: Path) -> None:
    images = list_categories("folder", magnetic_tiles)[0].images
    assert all(load_mask(magnetic_tiles, image).any() == bool(image.label) for image in images)
