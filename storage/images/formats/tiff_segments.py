"""Strips and tiles of a TIFF, unpacked to bytes whatever the bytes mean."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from storage.images.formats.tiff_directory import Directory, Tag

UNCOMPRESSED, LZW, DEFLATE, PACK_BITS, OLD_DEFLATE = 1, 5, 8, 32773, 32946
UNPACKED = (UNCOMPRESSED, LZW, DEFLATE, PACK_BITS, OLD_DEFLATE)
"""Compressions of bytes that are undone here, by TIFF's numbers."""
SEPARATE = 2
"""The value of PlanarConfiguration for a plane for each channel."""
REVERSED = 2
"""The value of FillOrder for bytes whose first bit is the lowest."""
REVERSE = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1)[:, 0]


@dataclass(frozen=True)
class SegmentLayout:
    """Where the strips or tiles of a page lie."""

    width: int
    """Of a strip or tile, in pixels."""
    height: int
    """The last strip may be lower."""
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    """Bytes of each; empty if the file does not say."""
    is_tiled: bool
    planes: int
    """One for all channels, or one for each."""


@dataclass(frozen=True)
class Segment:
    """A strip or tile as bytes."""

    x: int
    """Of its left pixel."""
    y: int
    """Of its upper one."""
    plane: int
    """0 where all channels lie together."""
    channels: int
    """In each pixel of it."""
    width: int
    """Pixels in each of its rows; those beyond the right edge of the page are filling."""
    rows: np.ndarray
    """uint8 (rows, bytes of a row)."""


def layout_of(page: Directory) -> SegmentLayout:
    """The strips or tiles of a page.

    Raises:
        ValueError: if the page does not say where they lie.
    """
    width, height = page.size
    planes = page.whole(Tag.SAMPLES_PER_PIXEL, 1) if page.whole(Tag.PLANAR_CONFIGURATION, 1) == SEPARATE else 1
    is_tiled = Tag.TILE_WIDTH in page.entries
    tags = (Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS) if is_tiled else (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS)
    offsets, sizes = (tuple(map(int, page.numbers(tag))) for tag in tags)
    part = (page.whole(Tag.TILE_WIDTH, 0), page.whole(Tag.TILE_LENGTH, 0)) if is_tiled else (width, 0)
    part_height = part[1] or min(page.whole(Tag.ROWS_PER_STRIP, height), height)
    if not (offsets and part[0] and part_height):
        raise ValueError("it does not say where its pixels lie")
    return SegmentLayout(part[0], part_height, offsets, sizes, is_tiled, planes)


def read_segments(page: Directory, sample_bits: int) -> Iterator[Segment]:
    """The strips or tiles of a page, one after the other.

    Args:
        page: whose compression is one of `UNPACKED`.
        sample_bits: each sample takes in a row; a row begins with a whole byte.

    Raises:
        ValueError: if pixels are missing, or cannot be unpacked.
    """
    (width, height), layout = page.size, layout_of(page)
    channels = page.whole(Tag.SAMPLES_PER_PIXEL, 1) if layout.planes == 1 else 1
    row_bytes = -(-layout.width * channels * sample_bits // 8)
    positions = [
        (plane, y, x)
        for plane in range(layout.planes)
        for y in range(0, height, layout.height)
        for x in range(0, width, layout.width)
    ]
    if len(layout.offsets) < len(positions):
        raise ValueError(f"it must have {len(positions)} strips or tiles, got {len(layout.offsets)}")
    for number, (plane, y, x) in enumerate(positions):
        rows = layout.height if layout.is_tiled else min(layout.height, height - y)
        size = layout.sizes[number] if len(layout.sizes) == len(layout.offsets) else None
        offset = layout.offsets[number]
        stored = page.content[offset : None if size is None else offset + size]
        unpacked = _unpacked(page, stored, row_bytes, rows)
        if len(unpacked) < rows * row_bytes:
            raise ValueError(f"its strip or tile {number + 1} holds {len(unpacked)} of {rows * row_bytes} bytes")
        values = np.frombuffer(unpacked, np.uint8, rows * row_bytes).reshape(rows, row_bytes)
        yield Segment(x, y, plane, channels, layout.width, values[: height - y])


def _unpacked(page: Directory, stored: bytes, row_bytes: int, rows: int) -> bytes:
    compression = page.whole(Tag.COMPRESSION, UNCOMPRESSED)
    if page.whole(Tag.FILL_ORDER, 1) == REVERSED:
        stored = REVERSE[np.frombuffer(stored, np.uint8)].tobytes()
    if compression == UNCOMPRESSED:
        return stored[: rows * row_bytes]
    if compression in (DEFLATE, OLD_DEFLATE):
        try:
            return zlib.decompressobj().decompress(stored, rows * row_bytes)
        except zlib.error as error:
            raise ValueError(str(error)) from error
    return _unpacked_as_grey(stored, compression, row_bytes, rows)


def _unpacked_as_grey(stored: bytes, compression: int, row_bytes: int, rows: int) -> bytes:
    """What Pillow reads from a TIFF of one strip, a grey picture of 8 bits with as many pixels as there are bytes."""
    tags = [
        (Tag.IMAGE_WIDTH, row_bytes),
        (Tag.IMAGE_LENGTH, rows),
        (Tag.BITS_PER_SAMPLE, 8),
        (Tag.COMPRESSION, compression),
        (Tag.PHOTOMETRIC_INTERPRETATION, 1),
        (Tag.STRIP_OFFSETS, 8),
        (Tag.SAMPLES_PER_PIXEL, 1),
        (Tag.ROWS_PER_STRIP, rows),
        (Tag.STRIP_BYTE_COUNTS, len(stored)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    begin = b"II*\0" + struct.pack("<I", 8 + len(stored))
    content = b"".join((begin, stored, struct.pack("<H", len(tags)), entries, bytes(4)))
    with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
        return image.tobytes()
