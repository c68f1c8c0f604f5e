"""Generated lots: their layout, their masks, and that the same words always give the same bytes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.datasets.synthetic.defects import KINDS
from storage.datasets.synthetic.lot import draw_part, write_lot
from storage.datasets.synthetic.parts import PARTS

MATERIAL = 4
"""Grey levels: a difference that a camera's noise here hardly hides."""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_lot_has_the_mvtec_layout(tmp_path: Path) -> None:
    write_lot(tmp_path, good_count=3, defective_count=7, size=64)
    dealt = {"scratch": 2, "stain": 2, "pit": 1, "chip": 1, "fibre": 1}
    expected = {f"test/good/{number:03d}.png" for number in range(3)}
    for kind, count in dealt.items():
        expected |= {f"test/{kind}/{number:03d}.png" for number in range(count)}
        expected |= {f"ground_truth/{kind}/{number:03d}_mask.png" for number in range(count)}
    assert set(contents(tmp_path)) == expected


def test_lot_lists_the_images_it_wrote(tmp_path: Path) -> None:
    listed = write_lot(tmp_path, good_count=2, defective_count=2, size=64)
    names = [path.relative_to(tmp_path).as_posix() for path in listed]
    assert names == ["test/good/000.png", "test/good/001.png", "test/scratch/000.png", "test/stain/000.png"]


def test_lot_holds_the_drawn_pixels(tmp_path: Path) -> None:
    write_lot(tmp_path, part="cast", seed=3, good_count=0, defective_count=3, size=64)
    picture, mask = draw_part("cast", "pit", seed=3, number=0, size=64)
    np.testing.assert_array_equal(Image.open(tmp_path / "test/pit/000.png"), picture)
    np.testing.assert_array_equal(Image.open(tmp_path / "ground_truth/pit/000_mask.png"), mask * np.uint8(255))


def test_lot_by_default_is_mostly_good(tmp_path: Path) -> None:
    listed = write_lot(tmp_path, size=64)
    folders = [path.parent.name for path in listed]
    assert {kind: folders.count(kind) for kind in dict.fromkeys(folders)} == {"good": 44, **dict.fromkeys(KINDS, 4)}


def test_lot_written_twice_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_lot(tmp_path / name, part="woven", seed=5, good_count=2, defective_count=5, size=64)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_lot_written_again_in_place_repairs_it(tmp_path: Path) -> None:
    write_lot(tmp_path, good_count=2, defective_count=1, size=64)
    whole = contents(tmp_path)
    (tmp_path / "test/good/001.png").write_bytes(b"half a file")
    (tmp_path / "ground_truth/scratch/000_mask.png").unlink()
    write_lot(tmp_path, good_count=2, defective_count=1, size=64)
    assert contents(tmp_path) == whole


def test_lot_counts_change_no_other_image(tmp_path: Path) -> None:
    write_lot(tmp_path / "small", good_count=1, defective_count=2, size=64)
    write_lot(tmp_path / "large", good_count=3, defective_count=8, size=64)
    large = contents(tmp_path / "large")
    assert {name: large[name] for name in contents(tmp_path / "small")} == contents(tmp_path / "small")


def test_lot_refuses_a_folder_with_other_pictures(tmp_path: Path) -> None:
    write_lot(tmp_path, good_count=3, defective_count=0, size=64)
    with pytest.raises(ValueError, match=r"folder must hold no pictures but those of this lot, got 2 .*001\.png"):
        write_lot(tmp_path, good_count=1, defective_count=0, size=64)


@pytest.mark.parametrize("name", ["good_count", "defective_count"])
def test_lot_refuses_a_negative_count(tmp_path: Path, name: str) -> None:
    counts = {"good_count": 1, "defective_count": 1, name: -1}
    with pytest.raises(ValueError, match=f"{name} must be at least 0, got -1; use 0 for none"):
        write_lot(tmp_path, size=64, **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_mask_holds_every_pixel_the_defect_changed(part: str, kind: str) -> None:
    picture, mask = draw_part(part, kind, number=1, size=128)
    clean, _ = draw_part(part, kind, number=1, size=128, planted=False)
    np.testing.assert_array_equal(picture[~mask], clean[~mask])


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_mask_holds_little_the_defect_left_unchanged(part: str, kind: str) -> None:
    picture, mask = draw_part(part, kind, number=2)
    clean, _ = draw_part(part, kind, number=2, planted=False)
    change = np.abs(picture.astype(int) - clean.astype(int)).max(axis=-1)
    assert (change[mask] >= MATERIAL).mean() > 0.85


@pytest.mark.parametrize("kind", KINDS)
def test_defects_are_small_and_of_different_sizes(kind: str) -> None:
    areas = [draw_part("brushed", kind, number=number, size=128)[1].mean() for number in range(4)]
    assert min(areas) > 0.0004
    assert max(areas) < 0.05
    assert max(areas) > 1.2 * min(areas)


@pytest.mark.parametrize("part", PARTS)
def test_good_part_has_an_empty_mask(part: str) -> None:
    assert not draw_part(part, size=64)[1].any()


@pytest.mark.parametrize("size", [64, 101, 256])
def test_part_has_the_asked_size(size: int) -> None:
    picture, mask = draw_part("woven", "chip", size=size)
    assert (picture.shape, picture.dtype) == ((size, size, 3), np.uint8)
    assert (mask.shape, mask.dtype) == ((size, size), np.bool_)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"number": 1}, {"part": "woven"}, {"kind": "scratch", "planted": False}], ids=str
)
def test_part_of_another_identity_is_another_picture(other: dict[str, int | str | bool]) -> None:
    arguments = {"size": 64, **other}
    assert (draw_part(**arguments)[0] != draw_part(size=64)[0]).mean() > 0.5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"part": "wooden"}, "part must be one of brushed, woven, cast, got 'wooden'; choose one of them"),
        ({"kind": "dent"}, "kind must be one of scratch, stain, pit, chip, fibre, got 'dent'; choose one"),
        ({"seed": -1}, "seed must be at least 0, got -1; choose another"),
        ({"number": -2}, "number must be at least 0, got -2; choose another"),
        ({"size": 63}, "size must be at least 64 pixels, got 63; 256 is usual"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_part_refuses(arguments: dict[str, int | str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_part(**arguments)  # type: ignore[arg-type]
