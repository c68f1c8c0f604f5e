"""Images that lie outside a dataset's layout are named, and those that belong to another split are not."""

from pathlib import Path

import pytest

from storage.datasets import left_out_of_dataset
from storage.datasets.unread_images import UnreadFolder, unread_folders


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_folder_too_deep_in_kolektor_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "kos13/Part0.jpg", "kos13/Part0_label.bmp", *(f"kos13/kos08/Part{part}.jpg" for part in range(8)))
    said = "Not read, as they lie outside the layout: 8 image files in kos13/kos08."
    assert left_out_of_dataset("kolektor_sdd", tmp_path) == said
    assert left_out_of_dataset("kolektor_sdd", tmp_path, ["kolektor_sdd"]) == said


@pytest.mark.parametrize(
    ("dataset", "known"),
    [
        ("mvtec_ad", ("bolt/test/good/0.png", "bolt/ground_truth/cut/0_mask.png", "bolt/train/good/0.png")),
        ("folder", ("bolt/test/good/0.png", "bolt/ground_truth/cut/0_mask.png", "bolt/train/0.png")),
        ("btad", ("01/test/ok/0.bmp", "01/test/ko/0.bmp", "01/ground_truth/ko/0.png", "01/train/ok/0.bmp")),
        ("mvtec_loco", ("a/test/good/0.png", "a/ground_truth/logical_anomalies/000/0.png", "a/validation/good/0.png")),
        ("mvtec_ad_2", ("a/test_public/ground_truth/bad/0_mask.png", "a/test_private/0.png", "a/train/good/0.png")),
        ("kolektor_sdd2", ("test/0.png", "test/0_GT.png", "train/0.png")),
    ],
)
def test_layout_knows_its_own_places_and_no_others(dataset: str, known: tuple[str, ...], tmp_path: Path) -> None:
    touch(tmp_path, *known, "bolt/notes.txt", ".cache/0.png", "__MACOSX/0.png")
    assert left_out_of_dataset(dataset, tmp_path) == ""
    touch(tmp_path, "previews/all.png")
    assert left_out_of_dataset(dataset, tmp_path).endswith(": 1 image file in previews.")


def test_only_asked_categories_are_looked_into(tmp_path: Path) -> None:
    touch(tmp_path, "bolt/old/0.png", "nut/old/0.png", "loose.png")
    places = ("*/test/*",)
    assert unread_folders(tmp_path, places, ["nut"]) == (UnreadFolder("nut/old", 1),)
    everything = (UnreadFolder(".", 1), UnreadFolder("bolt/old", 1), UnreadFolder("nut/old", 1))
    assert unread_folders(tmp_path, places, None) == everything
