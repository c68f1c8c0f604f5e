"""Every dataset: names that are refused, and roots that lie one level off."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.datasets import DATASETS, list_categories
from storage.errors import DatasetLayoutError


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), 200, dtype=np.uint8)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Categories `a2` and `a10` in a folder named `parts`."""
    for category in ("a10", "a2"):
        write_image(tmp_path / "parts" / category / "test" / "good" / "0.png")
        write_image(tmp_path / "parts" / category / "test" / "bad" / "0.png")
        write_image(tmp_path / "parts" / category / "ground_truth" / "bad" / "0_mask.png")
    return tmp_path / "parts"


def test_dataset_names_are_the_documented_ones() -> None:
    newer = {"mvtec_ad_2", "real_iad", "kolektor_sdd", "kolektor_sdd2"}
    assert set(DATASETS) == {"mvtec_ad", "visa", "btad", "mvtec_loco", "folder", *newer}


def test_dataset_unknown_name_is_refused_with_the_known_ones(root: Path) -> None:
    known = "mvtec_ad, visa, btad, mvtec_loco, mvtec_ad_2, real_iad, kolektor_sdd, kolektor_sdd2, folder"
    with pytest.raises(ValueError, match=f"dataset must be one of {known}, got 'mvtec'; choose one of them"):
        list_categories("mvtec", root)


def test_categories_unknown_one_is_refused_with_the_known_ones(root: Path) -> None:
    with pytest.raises(DatasetLayoutError, match="category 'a3' is unknown; known: a2, a10"):
        list_categories("folder", root, ["a2", "a3"])


def test_categories_only_requested_ones_are_listed(root: Path) -> None:
    assert [category.name for category in list_categories("folder", root, ["a10"])] == ["a10"]


def test_categories_requested_order_and_repeats_do_not_matter(root: Path) -> None:
    assert list_categories("folder", root, ["a10", "a2", "a10"]) == list_categories("folder", root)


def test_categories_only_requested_ones_are_checked(root: Path) -> None:
    (root / "a10" / "ground_truth" / "bad" / "0_mask.png").unlink()
    assert len(list_categories("folder", root, ["a2"])) == 1


def test_categories_bare_string_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match=r"categories must be a list of names, got the string 'a2'; use \['a2'\]"):
        list_categories("folder", root, "a2")


def test_categories_empty_list_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match="categories must hold at least one name, got none"):
        list_categories("folder", root, [])


@pytest.mark.parametrize("dataset", DATASETS)
def test_root_missing_is_refused(dataset: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetLayoutError, match=r"root must be an existing folder, got .*nowhere'; check the path"):
        list_categories(dataset, tmp_path / "nowhere")


@pytest.mark.parametrize("dataset", ["mvtec_ad", "btad", "mvtec_loco", "folder"])
def test_root_that_is_a_category_names_the_parent(dataset: str, root: Path) -> None:
    expected = f"itself one category .*use its parent '{root}' as the root and 'a2' as the category"
    with pytest.raises(DatasetLayoutError, match=expected):
        list_categories(dataset, root / "a2")


def test_root_one_level_too_high_names_the_child(root: Path) -> None:
    with pytest.raises(DatasetLayoutError, match=f"no category found; '{root}' looks like the root"):
        list_categories("folder", root.parent)


@pytest.mark.parametrize("dataset", ["mvtec_ad", "btad", "mvtec_loco", "folder"])
def test_root_without_categories_is_refused(dataset: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetLayoutError, match=f"layout of {dataset}, got 1 problem in .*\n  - no category found\n"):
        list_categories(dataset, tmp_path)


def test_root_may_be_a_string(root: Path) -> None:
    assert list_categories("folder", str(root)) == list_categories("folder", root)


def test_root_may_be_relative(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = list_categories("folder", root)
    monkeypatch.chdir(root)
    assert list_categories("folder", ".") == expected


def test_root_folders_that_are_no_category_are_ignored(root: Path) -> None:
    (root / "results").mkdir()
    assert [category.name for category in list_categories("folder", root)] == ["a2", "a10"]
