"""Which picture of a TIFF is the photograph, and metadata that never matter."""

import struct

import numpy as np
import pytest
from PIL import Image

from storage.images.decode import Header, decode, read_header
from tests.storage.encoding import encoded
from tests.storage.images.formats.tiff_files import Value, Written, picture, single

FULL, SMALL = (24, 16), (6, 4)
NEW_SUBFILE_TYPE, SUBFILE_TYPE, SUB_IFDS, ORIENTATION = 254, 255, 330, 274
Tags = dict[int, tuple[int, Value]]


def grey(written: Written, size: tuple[int, int], value: int, more: Tags | None = None) -> Tags:
    return picture(written, bytes([value]) * size[0] * size[1], size, 8, more=more)


def shown(content: bytes) -> tuple[Header, int]:
    """What is said of the photograph, and its grey."""
    image = decode(content)
    header = read_header(content)
    assert image.size == (header.width, header.height)
    return header, int(np.asarray(image)[0, 0, 0])


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("declared", [{NEW_SUBFILE_TYPE: (4, 1)}, {SUBFILE_TYPE: (3, 2)}, {}], ids=["new", "old", "no"])
def test_thumbnail_before_the_photograph_is_passed_over(declared: Tags, is_big: bool) -> None:
    written = Written(is_big=is_big)
    written.page(grey(written, SMALL, 9, declared))
    written.page(grey(written, FULL, 200))
    header, value = shown(bytes(written.content))
    assert (header.width, header.height, value) == (*FULL, 200)
    assert header.remark == "picture 2 of 2: the first is a smaller view or a mask of it"


def test_mask_before_the_photograph_is_passed_over() -> None:
    written = Written()
    written.page(grey(written, FULL, 9, {NEW_SUBFILE_TYPE: (4, 4)}))
    written.page(grey(written, FULL, 200))
    assert shown(bytes(written.content))[1] == 200


def test_photograph_below_its_thumbnail_is_taken() -> None:
    written = Written()
    below = written.directory(grey(written, FULL, 200))
    written.page(grey(written, SMALL, 9, {NEW_SUBFILE_TYPE: (4, 1), SUB_IFDS: (13, below)}))
    header, value = shown(bytes(written.content))
    assert (header.width, header.height, value) == (*FULL, 200)


def test_first_page_stays_the_photograph_before_its_thumbnails() -> None:
    written = Written()
    below = written.directory(grey(written, SMALL, 9, {NEW_SUBFILE_TYPE: (4, 1)}))
    written.page(grey(written, FULL, 200, {SUB_IFDS: (4, below)}))
    written.page(grey(written, SMALL, 7, {NEW_SUBFILE_TYPE: (4, 1)}))
    header, value = shown(bytes(written.content))
    assert (value, header.remark) == (200, "first of 2 frames")


@pytest.mark.parametrize("second", [(24, 16), (26, 16), (40, 16), (6, 4)])
def test_first_of_pages_of_other_kinds_is_taken(second: tuple[int, int]) -> None:
    written = Written()
    written.page(grey(written, FULL, 200))
    written.page(grey(written, second, 9))
    header, value = shown(bytes(written.content))
    assert (value, header.remark) == (200, "first of 2 frames")


def test_pages_that_are_all_smaller_views_give_the_first() -> None:
    written = Written()
    written.page(grey(written, FULL, 200, {NEW_SUBFILE_TYPE: (4, 1)}))
    assert shown(bytes(written.content)) == (Header(*FULL, ""), 200)


def test_pages_in_a_circle_end() -> None:
    written = Written()
    place = written.page(grey(written, FULL, 200))
    struct.pack_into("<I", written.content, written.link, place)
    assert shown(bytes(written.content)) == (Header(*FULL, ""), 200)


@pytest.mark.parametrize("tag", [34665, 34853, 700, 33723, 34377, 40965, SUB_IFDS, 270, NEW_SUBFILE_TYPE])
@pytest.mark.parametrize("value", [0, 8, 9_999_999])
@pytest.mark.parametrize("kind", [3, 4, 11, 12, 13])
def test_broken_metadata_leave_the_picture_alone(kind: int, value: int, tag: int) -> None:
    if tag == NEW_SUBFILE_TYPE and value & 5:
        return
    values = np.arange(96, dtype=np.uint8).reshape(8, 12)
    more: Tags = {tag: (kind, min(value, 65535) if kind == 3 else value), ORIENTATION: (3, 3)}
    content = single(values, 8, more=more)
    np.testing.assert_array_equal(np.asarray(decode(content))[..., 0], values[::-1, ::-1])
    assert read_header(content) == Header(12, 8, "", orientation=3)


def test_unreadable_orientation_is_upright() -> None:
    content = single(np.arange(96, dtype=np.uint8).reshape(8, 12), 8, more={ORIENTATION: (4, 77)})
    assert read_header(content) == Header(12, 8, "")


def test_orientation_in_xmp_of_a_tiff_counts() -> None:
    image = Image.fromarray(np.arange(96, dtype=np.uint8).reshape(8, 12))
    content = encoded(image, "TIFF", tiffinfo={700: b'<x tiff:Orientation="6"/>'})
    assert read_header(content).orientation == 6
    assert decode(content).size == (8, 12)
