"""Which folders below a root are lots."""

from datetime import date
from pathlib import Path

import fsspec
import pytest

from storage.errors import NoImagesError
from storage.images.lot_tree import LeftOut, find_lots


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_lots_are_two_levels_down_oldest_first(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "bolt/2026-11-20/a.png",
        "bolt/2026-11-21/camera_1/a.png",
        "nut/20261121/a.png",
        "nut/order-4711/a.png",
        "nut/2026-02-30/a.png",
    )
    tree = find_lots(str(tmp_path))
    assert [(found.lot, found.date) for found in tree.lots] == [
        ("bolt-2026-11-20", date(2026, 11, 20)),
        ("bolt-2026-11-21", date(2026, 11, 21)),
        ("nut-20261121", date(2026, 11, 21)),
        ("nut-2026-02-30", None),
        ("nut-order-4711", None),
    ]
    assert tree.lots[1].folder == f"{tmp_path}/bolt/2026-11-21"
    assert tree.categories == ("bolt", "nut")
    assert tree.left_out == ()


def test_product_is_one_in_whichever_normal_form_its_folders_are(tmp_path: Path) -> None:
    touch(tmp_path, "Geha\u0308use/2026-11-20/a.png", "Gehäuse/2026-11-21/a.png")
    tree = find_lots(str(tmp_path))
    assert tree.categories == ("Gehäuse",)
    assert [found.category for found in tree.lots] == ["Gehäuse", "Gehäuse"]
    assert all(Path(found.folder).is_dir() for found in tree.lots)


def test_what_is_no_lot_is_left_out_and_said(tmp_path: Path) -> None:
    touch(tmp_path, "root.png", "bolt/loose.png", "bolt/2026-11-20/a.png", "bolt/.trash/a.png", ".hidden/x/a.png")
    tree = find_lots(str(tmp_path))
    assert [found.lot for found in tree.lots] == ["bolt-2026-11-20"]
    file_reason = "a file outside any lot; lots are folders in a category's folder"
    assert set(tree.left_out) == {
        LeftOut("root.png", file_reason),
        LeftOut("bolt/loose.png", file_reason),
    }


def test_category_may_be_a_link_to_a_folder_elsewhere(tmp_path: Path) -> None:
    touch(tmp_path, "disk/camera/2026-11-21/a.png", "disk/camera/loose.png", "lots/nut/2026-11-20/a.png")
    (tmp_path / "lots" / "bolt").symlink_to(tmp_path / "disk" / "camera")
    tree = find_lots(str(tmp_path / "lots"))
    assert tree.categories == ("bolt", "nut")
    assert [(found.lot, found.folder) for found in tree.lots] == [
        ("nut-2026-11-20", f"{tmp_path}/lots/nut/2026-11-20"),
        ("bolt-2026-11-21", f"{tmp_path}/lots/bolt/2026-11-21"),
    ]
    assert [left_out.path for left_out in tree.left_out] == ["bolt/loose.png"]


def test_root_may_be_a_link(tmp_path: Path) -> None:
    touch(tmp_path, "lots/bolt/2026-11-21/a.png")
    (tmp_path / "here").symlink_to(tmp_path / "lots")
    assert [found.folder for found in find_lots(f"{tmp_path}/here").lots] == [f"{tmp_path}/here/bolt/2026-11-21"]


@pytest.mark.parametrize("target", [".", "..", "/", "bolt", "bolt/2026-11-20"])
def test_category_linked_to_folders_of_the_same_root_is_left_out(target: str, tmp_path: Path) -> None:
    """Else every lot would be scored under a second name, or all lots as one."""
    touch(tmp_path, "lots/bolt/2026-11-20/a.png")
    (tmp_path / "lots" / "again").symlink_to(target)
    tree = find_lots(str(tmp_path / "lots"))
    assert [found.lot for found in tree.lots] == ["bolt-2026-11-20"]
    reason = "symbolic link leads to what holds the root or lies in it; its lots would be scored twice"
    assert tree.left_out == (LeftOut("again", reason),)


@pytest.mark.parametrize("target", ["absent", "circle", "bolt/circle"])
def test_category_linked_to_nowhere_or_in_a_circle_is_left_out(target: str, tmp_path: Path) -> None:
    touch(tmp_path, "bolt/2026-11-20/a.png")
    (tmp_path / "circle").symlink_to(target)
    (tmp_path / "bolt" / "circle").symlink_to(tmp_path / "circle")
    tree = find_lots(str(tmp_path))
    assert [found.lot for found in tree.lots] == ["bolt-2026-11-20"]
    reason = "symbolic link leads nowhere, or to a folder that cannot be reached"
    assert set(tree.left_out) == {LeftOut("circle", reason), LeftOut("bolt/circle", reason)}


@pytest.mark.parametrize("target", ["disk", "lots/bolt/2026-11-20", "lots/bolt", "lots"])
def test_lot_that_is_a_link_is_left_out(target: str, tmp_path: Path) -> None:
    touch(tmp_path, "disk/a.png", "lots/bolt/2026-11-20/a.png")
    (tmp_path / "lots" / "bolt" / "2026-11-21").symlink_to(tmp_path / target)
    tree = find_lots(str(tmp_path / "lots"))
    assert [found.lot for found in tree.lots] == ["bolt-2026-11-20"]
    (left_out,) = tree.left_out
    assert left_out.path == "bolt/2026-11-21"
    assert left_out.reason.startswith("symbolic link in a category is not followed; put the lot's folder there")


def test_link_to_a_file_is_a_file_outside_any_lot(tmp_path: Path) -> None:
    touch(tmp_path, "bolt/2026-11-20/a.png")
    (tmp_path / "a.png").symlink_to(tmp_path / "bolt" / "2026-11-20" / "a.png")
    (left_out,) = find_lots(str(tmp_path)).left_out
    assert left_out.reason.startswith("a file outside any lot")


def test_lots_in_an_object_store() -> None:
    memory = fsspec.filesystem("memory")
    for path in ("bolt/2026-11-20/a.png", "nut/2026-11-21/deep/a.png", "loose.png"):
        memory.pipe_file(f"/lot_tree/{path}", b"x")
    try:
        tree = find_lots("memory://lot_tree")
    finally:
        memory.rm("/lot_tree", recursive=True)
    assert [found.folder for found in tree.lots] == [
        "memory://lot_tree/bolt/2026-11-20",
        "memory://lot_tree/nut/2026-11-21",
    ]
    assert [left_out.path for left_out in tree.left_out] == ["loose.png"]


def test_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoImagesError, match=r"root must be an existing folder, got .*absent"):
        find_lots(str(tmp_path / "absent"))
