"""Links in lots: followed inside the folder only, and never in a circle."""

from pathlib import Path

import pytest

from storage.images.listing import list_files, list_folder
from storage.store import Store
from tests.storage.listed import listed, picture, put, status_of


def test_link_to_a_file_outside_is_not_followed(folder: Path) -> None:
    outside = put(folder.parent, "secret.png", picture(1))
    (folder / "b.png").symlink_to(outside)
    assert status_of(folder, "b.png") == ("outside", "symbolic link leads out of the folder")
    assert listed(folder)["b.png"].sha256 == ""


def test_link_to_a_folder_outside_is_not_followed(folder: Path) -> None:
    put(folder.parent, "other/b.png", picture(1))
    (folder / "link").symlink_to(folder.parent / "other")
    assert status_of(folder, "link") == ("outside", "symbolic link leads out of the folder")
    assert set(listed(folder)) == {"a.png", "link"}


@pytest.mark.parametrize("target", [".", "below"])
def test_link_to_a_folder_inside_is_not_followed(folder: Path, target: str) -> None:
    put(folder, "below/b.png", picture(1))
    (folder / "link").symlink_to(folder / target)
    assert status_of(folder, "link") == ("outside", "symbolic link to a folder is not followed")
    assert set(listed(folder)) == {"a.png", "below/b.png", "link"}


def test_link_to_a_folder_of_a_like_name_leads_outside(folder: Path) -> None:
    """`lot-2` begins like `lot` and yet lies beside it."""
    (folder / "b.png").symlink_to(put(folder.parent, "lot-2/b.png", picture(1)))
    assert status_of(folder, "b.png")[0] == "outside"


def test_link_to_a_file_inside_is_a_copy(folder: Path) -> None:
    (folder / "b.png").symlink_to("a.png")
    assert status_of(folder, "b.png") == ("duplicate", "same bytes as a.png")


def test_broken_link_is_unreadable(folder: Path) -> None:
    (folder / "b.png").symlink_to("gone.png")
    assert status_of(folder, "b.png") == ("unreadable", "the file is gone, or a link to nowhere")


def test_broken_link_to_outside_is_outside(folder: Path) -> None:
    (folder / "b.png").symlink_to(folder.parent / "gone.png")
    assert status_of(folder, "b.png")[0] == "outside"


def test_links_in_a_circle_are_unreadable(folder: Path) -> None:
    (folder / "b.png").symlink_to("c.png")
    (folder / "c.png").symlink_to("b.png")
    assert status_of(folder, "b.png") == ("unreadable", "symbolic links lead in a circle")


def test_folder_reached_through_a_link_is_listed(folder: Path) -> None:
    """Only links inside the folder can lead out of it; the way to it is the user's own."""
    (folder.parent / "tonight").symlink_to(folder)
    assert list_folder(str(folder.parent / "tonight")) == list_folder(str(folder))


def test_lot_in_the_folder_may_be_a_link_to_elsewhere(folder: Path) -> None:
    put(folder.parent, "disk/b.png", picture(1))
    (folder / "part").symlink_to(folder.parent / "disk")
    (row,) = list_files(Store(str(folder)), ["part/b.png"], lot="part")
    assert (row.path, row.status) == ("part/b.png", "ok")


def test_link_in_a_lot_that_is_a_link_is_not_followed_outside(folder: Path) -> None:
    put(folder.parent, "disk/b.png", picture(1))
    (folder / "part").symlink_to(folder.parent / "disk")
    (folder / "part" / "c.png").symlink_to(put(folder.parent, "secret.png", picture(2)))
    (row,) = list_files(Store(str(folder)), ["part/c.png"], lot="part")
    assert (row.status, row.reason) == ("outside", "symbolic link leads out of the folder")
