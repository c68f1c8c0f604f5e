"""Which folders below a root are lots."""

from datetime import date
from pathlib import Path

import fsspec
import pytest

from storage.errors import NoImagesError
from storage.lot_tree import LeftOut, date_of, find_lots


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_lots_are_two_levels_down_newest_first(tmp_path: Path) -> None:
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
        ("bolt-2026-11-21", date(2026, 11, 21)),
        ("nut-20261121", date(2026, 11, 21)),
        ("bolt-2026-11-20", date(2026, 11, 20)),
        ("nut-2026-02-30", None),
        ("nut-order-4711", None),
    ]
    assert tree.lots[0].folder == f"{tmp_path}/bolt/2026-11-21"
    assert tree.categories == ("bolt", "nut")
    assert tree.left_out == ()


def test_what_is_no_lot_is_left_out_and_said(tmp_path: Path) -> None:
    touch(tmp_path, "root.png", "bolt/loose.png", "bolt/2026-11-20/a.png", "bolt/.trash/a.png", ".hidden/x/a.png")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "bolt")
    (tmp_path / "bolt" / "linked").symlink_to(tmp_path / "bolt" / "2026-11-20")
    tree = find_lots(str(tmp_path))
    assert [found.lot for found in tree.lots] == ["bolt-2026-11-20"]
    file_reason = "a file outside any lot; lots are folders in a category's folder"
    assert set(tree.left_out) == {
        LeftOut("root.png", file_reason),
        LeftOut("bolt/loose.png", file_reason),
        LeftOut("elsewhere", "links are not followed"),
        LeftOut("bolt/linked", "links are not followed"),
    }


def test_lots_in_an_object_store() -> None:
    memory = fsspec.filesystem("memory")
    for path in ("bolt/2026-11-20/a.png", "nut/2026-11-21/deep/a.png", "loose.png"):
        memory.pipe_file(f"/lot_tree/{path}", b"x")
    try:
        tree = find_lots("memory://lot_tree")
    finally:
        memory.rm("/lot_tree", recursive=True)
    assert [found.folder for found in tree.lots] == [
        "memory://lot_tree/nut/2026-11-21",
        "memory://lot_tree/bolt/2026-11-20",
    ]
    assert [left_out.path for left_out in tree.left_out] == ["loose.png"]


def test_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoImagesError, match=r"folder must be an existing folder of images, got .*absent"):
        find_lots(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-11-21", date(2026, 11, 21)),
        ("2026_11_21", date(2026, 11, 21)),
        ("20261121", date(2026, 11, 21)),
        ("2026-11-21_night-2", date(2026, 11, 21)),
        ("20261121T2200", date(2026, 11, 21)),
        ("2028-02-29", date(2028, 2, 29)),
        ("2026-02-29", None),
        ("2026-13-01", None),
        ("2026-1121", None),
        ("202611210", None),
        ("order-2026-11-21", None),
        ("4711", None),
    ],
)
def test_date_of_a_folder_name(name: str, expected: date | None) -> None:
    assert date_of(name) == expected
