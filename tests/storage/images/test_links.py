"""Which links are on the user's own way to a lot, and which lead out of it."""

from pathlib import Path

import pytest

from storage.images.links import Bounds
from tests.storage.listed import put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """`bottle` is a link to elsewhere, `zipper` a folder; beside them lies what is nobody's."""
    put(tmp_path, "disk/bottles/test/0.png", b"x")
    put(tmp_path, "root/zipper/test/0.png", b"x")
    put(tmp_path, "secret/test/0.png", b"x")
    (tmp_path / "root" / "bottle").symlink_to(tmp_path / "disk" / "bottles")
    return tmp_path / "root"


def test_bounds_hold_what_the_lots_own_link_leads_to(root: Path) -> None:
    assert Bounds(root, "bottle").holds("bottle/test/0.png")
    assert Bounds(root, "zipper").holds("zipper/test/0.png")


def test_bounds_hold_no_other_link_of_the_root(root: Path) -> None:
    assert not Bounds(root).holds("bottle/test/0.png")
    assert not Bounds(root, "zipper").holds("bottle/test/0.png")


def test_bounds_hold_links_from_lot_to_lot_of_the_root(root: Path) -> None:
    (root / "zipper" / "good").symlink_to(root / "zipper" / "test")
    (root / "bottle" / "good").symlink_to(root / "zipper" / "test")
    assert Bounds(root, "zipper").holds("zipper/good/0.png")
    assert Bounds(root, "bottle").holds("bottle/good/0.png")


@pytest.mark.parametrize("lot", ["..", ".", "../secret", "zipper/..", "/", ""])
def test_bounds_of_a_lot_that_is_no_plain_name_are_the_root(lot: str, root: Path) -> None:
    """A dataset's table may name its objects as strangers like."""
    (root / "zipper" / "out").symlink_to(root.parent / "secret")
    for path in ("zipper/out/test/0.png", "../secret/test/0.png", f"{root.parent}/secret/test/0.png"):
        assert not Bounds(root, lot).holds(path)


@pytest.mark.parametrize("lot", ["bottle", "zipper"])
def test_way_out_is_the_link_that_leads_out(lot: str, root: Path) -> None:
    (root / lot / "out").symlink_to(root.parent / "secret")
    assert Bounds(root, lot).way_out(f"{lot}/out/test/0.png") == f"{lot}/out"
    assert Bounds(root, lot).way_out(f"{lot}/test/0.png") is None


def test_way_out_of_a_link_to_the_folder_above_is_that_link(root: Path) -> None:
    """What a linked category lies beside is not part of it."""
    (root / "bottle" / "up").symlink_to("..")
    assert Bounds(root, "bottle").way_out("bottle/up/bottles/test") is None
    assert Bounds(root, "bottle").way_out("bottle/up/other/test") == "bottle/up"


def test_links_in_a_circle_are_an_error(root: Path) -> None:
    (root / "zipper" / "circle").symlink_to("circle")
    with pytest.raises((OSError, RuntimeError)):
        Bounds(root, "zipper").holds("zipper/circle")
