"""Masks of a region of interest are found by the names of their images."""

from pathlib import Path

from storage.images.listing import list_folder
from tasks.region_masks import masks_of
from tests.storage.listed import picture, put


def test_masks_are_found_in_another_normal_form(tmp_path: Path) -> None:
    for name in ("a/Gehäuse.png", "b/Geha\u0308use.png"):
        put(tmp_path / "lot", name, picture(len(name)))
        put(tmp_path / "masks", name.replace("ä", "a\u0308") if "ä" in name else name.replace("a\u0308", "ä"), b"mask")
    images = list_folder(str(tmp_path / "lot"))
    assert [mask.parent.name for _, mask in masks_of(tmp_path / "masks", images)] == ["a", "b"]
