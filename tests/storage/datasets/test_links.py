"""Every dataset: the root and its categories may be links, what lies in a category may not lead out of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.datasets import Category, labels_digest, list_categories, load_mask
from storage.errors import DatasetLayoutError
from storage.images.listing import list_files
from storage.store import Store

FILES = {
    "mvtec_ad": ("test/good/0.png", "test/bad/0.png", "ground_truth/bad/0_mask.png"),
    "visa": ("Images/Normal/0.png", "Images/Anomaly/0.png", "Masks/Anomaly/0.png"),
    "btad": ("test/ok/0.png", "test/ko/0.png", "ground_truth/ko/0.png"),
    "mvtec_loco": ("test/good/0.png", "test/logical_anomalies/0.png", "ground_truth/logical_anomalies/0/0.png"),
    "folder": ("test/good/0.png", "test/bad/0.png", "ground_truth/bad/0.png"),
    "mvtec_ad_2": ("test_public/good/0.png", "test_public/bad/0.png", "test_public/ground_truth/bad/0_mask.png"),
    "real_iad": ("OK/0.png", "NG/AK/0.png", "NG/AK/0_mask.png"),
}
"""A normal image, a defective one and its mask in the category's folder; KolektorSDD has no categories."""


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), 255, dtype=np.uint8)).save(path)


def write_dataset(dataset: str, root: Path) -> None:
    """Category `a` with one normal and one defective image, two of them in MVTec LOCO AD."""
    normal, defective, mask = (f"a/{path}" for path in FILES[dataset])
    for path in (normal, defective, mask):
        write_image(root / path)
    if dataset == "visa":
        table = ("object,split,label,image,mask", f"a,test,normal,{normal},", f"a,test,anomaly,{defective},{mask}")
        (root / "split_csv").mkdir()
        (root / "split_csv" / "1cls.csv").write_text("\n".join(table), encoding="utf-8")
    if dataset == "real_iad":
        pairs = ((FILES[dataset][0], None), FILES[dataset][1:])
        rows = [{"anomaly_class": path[:2], "image_path": path, "mask_path": mask} for path, mask in pairs]
        (root / "a.json").write_text(json.dumps({"meta": {"prefix": "a/"}, "test": rows}), encoding="utf-8")
    if dataset == "mvtec_loco":
        for path in (defective, mask):
            write_image(root / path.replace("logical", "structural"))
        kind = {"pixel_value": 255, "saturation_threshold": 1, "relative_saturation": True}
        (root / "a" / "defects_config.json").write_text(json.dumps([kind]), encoding="utf-8")


@pytest.fixture(params=FILES)
def dataset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(dataset: str, tmp_path: Path) -> Path:
    write_dataset(dataset, tmp_path / "root")
    return tmp_path / "root"


def linked(path: Path, elsewhere: Path) -> None:
    """Move a file or folder to a folder elsewhere, and put a link to it in its place."""
    elsewhere.mkdir(exist_ok=True)
    path.symlink_to(path.rename(elsewhere / path.name))


def statuses(root: Path, category: Category) -> set[tuple[str, str]]:
    images = list_files(Store(str(root)), [image.path for image in category.images], lot=category.name)
    return {(image.status, image.reason) for image in images if image.status != "duplicate"}


def problems(dataset: str, root: Path) -> list[str]:
    with pytest.raises(DatasetLayoutError) as caught:
        list_categories(dataset, root)
    return [line.removeprefix("  - ") for line in str(caught.value).splitlines() if line.startswith("  - ")]


def test_category_that_is_a_link_is_listed_like_a_folder(dataset: str, root: Path, tmp_path: Path) -> None:
    expected = list_categories(dataset, root)
    linked(root / "a", tmp_path / "elsewhere")
    assert list_categories(dataset, root) == expected
    assert statuses(root, expected[0]) == {("ok", "")}


def test_masks_of_a_category_that_is_a_link_are_read(dataset: str, root: Path, tmp_path: Path) -> None:
    before = labels_digest(root, list_categories(dataset, root)[0])
    linked(root / "a", tmp_path / "elsewhere")
    (category,) = list_categories(dataset, root)
    assert labels_digest(root, category) == before
    assert all(load_mask(root, image).all() == bool(image.label) for image in category.images)


def test_root_that_is_a_link_is_listed_like_a_folder(dataset: str, root: Path, tmp_path: Path) -> None:
    expected = list_categories(dataset, root)
    linked(root / "a", tmp_path / "elsewhere")
    linked(root, tmp_path / "disk")
    assert list_categories(dataset, root) == expected
    assert statuses(root, expected[0]) == {("ok", "")}


@pytest.mark.parametrize("category_linked", [False, True])
@pytest.mark.parametrize("number", range(3), ids=["normal image", "defective image", "mask"])
def test_file_in_a_category_that_leads_out_is_refused(
    number: int, category_linked: bool, dataset: str, root: Path, tmp_path: Path
) -> None:
    if category_linked:
        linked(root / "a", tmp_path / "elsewhere")
    path = f"a/{FILES[dataset][number]}"
    linked(root / path, tmp_path / "secret")
    (problem,) = problems(dataset, root)
    assert path in problem
    assert ": symbolic link leads out of the folder" in problem


def test_link_within_a_category_is_followed(dataset: str, root: Path, tmp_path: Path) -> None:
    expected = list_categories(dataset, root)
    linked(root / "a", tmp_path / "elsewhere")
    linked(root / "a" / FILES[dataset][1], root / "a" / "kept")
    assert list_categories(dataset, root) == expected
    assert statuses(root, expected[0]) == {("ok", "")}


def test_category_in_a_circle_is_no_category(dataset: str, root: Path) -> None:
    (root / "b").symlink_to("b")
    (root / "c").symlink_to(".")
    assert [category.name for category in list_categories(dataset, root)] == ["a"]


def test_folder_in_a_category_that_leads_out_is_one_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_dataset("mvtec_ad", root)
    linked(root / "a" / "test", tmp_path / "elsewhere")
    assert problems("mvtec_ad", root) == [
        "a/test: symbolic link leads out of the folder, to 2 images or masks; put files there, or make the category "
        "itself a link"
    ]


def test_visa_link_of_the_root_that_is_no_category_is_refused(tmp_path: Path) -> None:
    """The table's paths are a stranger's: only the object's own folder may be a link."""
    root = tmp_path / "root"
    write_dataset("visa", root)
    write_image(tmp_path / "secret" / "0.png")
    (root / "b").symlink_to(tmp_path / "secret")
    with (root / "split_csv" / "1cls.csv").open("a", encoding="utf-8") as table:
        table.write("\na,test,normal,b/0.png,\n")
    (problem,) = problems("visa", root)
    assert "must stay inside the root, got 'b/0.png', a link to " in problem


def test_visa_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_dataset("visa", root)
    image = root / "a" / FILES["visa"][0]
    image.unlink()
    image.symlink_to(image)
    (problem,) = problems("visa", root)
    assert "image must be a usable path, got 'a/Images/Normal/0.png'" in problem
