"""Directories of TIFF files, the lists of tags that say what lies where; EXIF is written in them too.

Read apart from Pillow, which refuses a picture whose metadata are broken, and knows only some kinds of samples.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class Tag(IntEnum):
    """Tags that are read here, by TIFF's names for them."""

    NEW_SUBFILE_TYPE = 254
    SUBFILE_TYPE = 255
    IMAGE_WIDTH = 256
    IMAGE_LENGTH = 257
    BITS_PER_SAMPLE = 258
    COMPRESSION = 259
    PHOTOMETRIC_INTERPRETATION = 262
    FILL_ORDER = 266
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES_PER_PIXEL = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTE_COUNTS = 279
    MAX_SAMPLE_VALUE = 281
    PLANAR_CONFIGURATION = 284
    PREDICTOR = 317
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    TILE_OFFSETS = 324
    TILE_BYTE_COUNTS = 325
    SUB_IFDS = 330
    SAMPLE_FORMAT = 339
    S_MIN_SAMPLE_VALUE = 340
    S_MAX_SAMPLE_VALUE = 341
    XMP = 700


FORMATS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 18: "Q"}
"""`struct` letters of the types of values that are read; the others hold no number that matters here."""
SIZES = {**{kind: struct.calcsize(f"={letter}") for kind, letter in FORMATS.items()}, 2: 1, 5: 8, 10: 8, 17: 8}
"""Bytes of a value, by TIFF's number of its type; texts, fractions and a BigTIFF's signed integers are not read."""
MOST_DIRECTORIES = 10_000

CLASSIC, BIG = 42, 43


@dataclass(frozen=True)
class Form:
    """How a file writes its numbers."""

    order: str
    """`<` or `>`, as `struct` has it."""
    is_big: bool
    """Whether offsets have 64 bits (BigTIFF)."""

    @property
    def count(self) -> str:
        """Of the entries in a directory."""
        return f"{self.order}Q" if self.is_big else f"{self.order}H"

    @property
    def entry(self) -> str:
        """Tag, type, number of values."""
        return f"{self.order}HHQ" if self.is_big else f"{self.order}HHI"

    @property
    def offset(self) -> str:
        """Of values or of a directory."""
        return f"{self.order}Q" if self.is_big else f"{self.order}I"


@dataclass(frozen=True)
class Entry:
    """One tag of a directory."""

    kind: int
    """TIFF's number of the type."""
    count: int
    """Of values."""
    place: int
    """Where the values begin in the file."""
    stored: bytes
    """The entry as it is."""

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return self.count * SIZES[self.kind]


@dataclass(frozen=True)
class Directory:
    """The tags of one picture."""

    content: bytes
    """The whole file."""
    form: Form
    entries: dict[int, Entry]
    following: int
    """Offset of the next directory; 0 if this is the last."""

    def numbers(self, tag: Tag) -> tuple[float, ...]:
        """The values of a tag; empty if it is not there, holds no numbers, or they lie beyond the end of the file."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in FORMATS or entry.place + entry.size > len(self.content):
            return ()
        pattern = f"{self.form.order}{entry.count}{FORMATS[entry.kind]}"
        return struct.unpack_from(pattern, self.content, entry.place)

    def whole(self, tag: Tag, default: int) -> int:
        """The first value of a tag that holds whole numbers."""
        values = self.numbers(tag)
        return int(values[0]) if values and float(values[0]).is_integer() else default

    def raw(self, tag: Tag) -> bytes:
        """The bytes of a tag's values; empty if it is not there."""
        entry = self.entries.get(tag)
        return self.content[entry.place : entry.place + entry.size] if entry else b""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as stored; 0 where they are not told."""
        return self.whole(Tag.IMAGE_WIDTH, 0), self.whole(Tag.IMAGE_LENGTH, 0)


def read_form(content: bytes) -> tuple[Form, int]:
    """How a TIFF file or an EXIF block writes its numbers, and the offset of its first directory.

    Raises:
        ValueError: if it is neither.
    """
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    if order is None or len(content) < 8:
        raise ValueError("it does not begin like a TIFF")
    (version,) = struct.unpack_from(f"{order}H", content, 2)
    if version == CLASSIC:
        return Form(order, is_big=False), int(struct.unpack_from(f"{order}I", content, 4)[0])
    if version == BIG and len(content) >= 16:
        return Form(order, is_big=True), int(struct.unpack_from(f"{order}Q", content, 8)[0])
    raise ValueError("it does not begin like a TIFF")


def read_directory(content: bytes, form: Form, offset: int) -> Directory:
    """The directory at an offset, without entries of unknown types and those beyond the end of the file.

    Raises:
        ValueError: if all of it lies beyond the end of the file.
    """
    count_size, head_size, offset_size = map(struct.calcsize, (form.count, form.entry, form.offset))
    size, start = head_size + offset_size, offset + count_size
    if not 0 < offset <= len(content) - count_size:
        raise ValueError("a directory lies beyond its end")
    (count,) = struct.unpack_from(form.count, content, offset)
    end = start + count * size
    entries: dict[int, Entry] = {}
    for place in range(start, min(end, len(content) - size + 1), size):
        tag, kind, values = struct.unpack_from(form.entry, content, place)
        if kind in SIZES:
            inline, where = SIZES[kind] * values <= offset_size, place + head_size
            lies = where if inline else struct.unpack_from(form.offset, content, where)[0]
            entries.setdefault(tag, Entry(kind, values, lies, content[place : place + size]))
    has_next = end + offset_size <= len(content)
    return Directory(content, form, entries, struct.unpack_from(form.offset, content, end)[0] if has_next else 0)


def read_directories(content: bytes) -> Iterator[Directory]:
    """The directories of a file one after the other, as far as they can be read.

    Raises:
        ValueError: if there is not even a first one.
    """
    form, offset = read_form(content)
    offsets: set[int] = set()
    while offset and offset not in offsets and len(offsets) < MOST_DIRECTORIES:
        offsets.add(offset)
        try:
            directory = read_directory(content, form, offset)
        except ValueError:
            if len(offsets) == 1:
                raise
            return
        yield directory
        offset = directory.following
