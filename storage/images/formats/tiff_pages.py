"""Which page of a TIFF is the photograph, and a file that holds no other.

| in the file | what is taken |
|---|---|
| pages that are declared a smaller view of another one, or a mask of it (NewSubfileType, SubfileType) | not these |
| a first page that says nothing, and a later one of the same proportions at least twice as large | the largest such |
| else | the first one |

Pictures below another one (SubIFDs), where some cameras keep the full one, count as pages too.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from storage.images.formats.orientation import in_xmp, known
from storage.images.formats.tiff_directory import Directory, Tag, read_directories, read_directory
from storage.images.formats.tiff_segments import layout_of

SMALLER, MASK = 1, 4
"""Bits of NewSubfileType."""
OLD_SMALLER = 2
"""The value of SubfileType for a smaller view."""
LEAST_RATIO = 2
"""Of the sides of a photograph to those of its smaller view, where neither is declared."""

PICTURE = frozenset(
    {*range(256, 260), 262, 266, 273, *range(277, 280), 284, 292, 293, 317, 320, *range(322, 326), 332, 334, 338, 339}
    | {347, *range(512, 522), *range(529, 533)}
)
"""Tags that pixels are made from; all others are metadata."""


@dataclass(frozen=True)
class Page:
    """The photograph in a TIFF."""

    directory: Directory
    count: int
    """Of pages in the file."""
    remark: str
    """Which one it is, where there are several; else empty."""

    @property
    def orientation(self) -> int:
        """EXIF's number of how the stored pixels are turned."""
        own = self.directory.numbers(Tag.ORIENTATION)
        return known(own[0]) if own else in_xmp(self.directory.raw(Tag.XMP))


def find_photograph(content: bytes) -> Page:
    """The page to score.

    Raises:
        ValueError: if the file has no directory.
    """
    top = list(read_directories(content))
    pages = [page for directory in top for page in (directory, *_below(directory))]
    full = [page for page in pages if not _is_aside(page)] or pages
    larger = [page for page in full[1:] if _is_smaller_view(full[0], page)]
    photograph = max(larger, key=_area, default=full[0])
    number = pages.index(photograph) + 1
    if number == 1:
        return Page(photograph, len(top), f"first of {len(top)} frames" if len(top) > 1 else "")
    return Page(
        photograph, len(pages), f"picture {number} of {len(pages)}: the first is a smaller view or a mask of it"
    )


def alone(page: Page) -> bytes:
    """A TIFF file of one page without its metadata, orientation included: the directory is written anew at the end.

    Raises:
        ValueError: if the file is cut short: what is missing would be filled by that directory.
    """
    directory, form = page.directory, page.directory.form
    require_whole(directory)
    entries = [directory.entries[tag].stored for tag in sorted(directory.entries) if tag in PICTURE]
    content = directory.content
    padding = bytes(len(content) % 2)
    start = struct.pack(form.offset, len(content) + len(padding))
    header = 8 if form.is_big else 4
    listed = struct.pack(form.count, len(entries)) + b"".join(entries) + bytes(len(start))
    return b"".join((content[:header], start, memoryview(content)[header + len(start) :], padding, listed))


def require_whole(page: Directory) -> None:
    """Refuse a page that does not say how long its pixels are, or that is longer than its file.

    Raises:
        ValueError: if it is.
    """
    length = len(page.content)
    for tag, entry in page.entries.items():
        if tag in PICTURE and entry.place + entry.size > length:
            raise ValueError(f"the values of its tag {tag} lie beyond its end")
    layout = layout_of(page)
    if len(layout.sizes) != len(layout.offsets):
        raise ValueError("it does not say how long its pixels are")
    if any(offset + size > length for offset, size in zip(layout.offsets, layout.sizes, strict=True)):
        raise ValueError("its pixels lie beyond its end")


def _below(directory: Directory) -> Iterator[Directory]:
    """The pictures below another one, as far as they can be read."""
    for offset in directory.numbers(Tag.SUB_IFDS):
        try:
            below = read_directory(directory.content, directory.form, int(offset))
        except ValueError:
            continue
        if all(below.size):
            yield below


def _is_aside(page: Directory) -> bool:
    declared = page.whole(Tag.NEW_SUBFILE_TYPE, 0) & (SMALLER | MASK)
    return bool(declared) or page.whole(Tag.SUBFILE_TYPE, 0) == OLD_SMALLER


def _is_smaller_view(page: Directory, other: Directory) -> bool:
    """Whether a page has the proportions of another one, rounded to pixels, and at most half of its sides."""
    (width, height), (full_width, full_height) = page.size, other.size
    if width * LEAST_RATIO > full_width or height * LEAST_RATIO > full_height:
        return False
    return abs(full_width * height / full_height - width) < 1 or abs(full_height * width / full_width - height) < 1


def _area(page: Directory) -> int:
    width, height = page.size
    return width * height
