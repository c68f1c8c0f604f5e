"""TIFF files written by hand, of kinds that Pillow does not write."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

INLINE = {3: "H", 4: "I", 11: "f", 12: "d", 13: "I"}
Value = int | float | Sequence[int] | Sequence[float]


@dataclass
class Written:
    """A TIFF being put together; every page is written after the one before."""

    order: str = "<"
    is_big: bool = False
    content: bytearray = field(init=False)
    link: int = field(init=False)
    """Where the offset of the next page is to be written."""

    def __post_init__(self) -> None:
        mark = b"II" if self.order == "<" else b"MM"
        if self.is_big:
            self.content = bytearray(mark + struct.pack(f"{self.order}HHHQ", 43, 8, 0, 0))
            self.link = 8
        else:
            self.content = bytearray(mark + struct.pack(f"{self.order}HI", 42, 0))
            self.link = 4

    def put(self, data: bytes) -> int:
        """Append bytes, and return where they lie."""
        self.content += bytes(len(self.content) % 2)
        self.content += data
        return len(self.content) - len(data)

    def directory(self, tags: dict[int, tuple[int, Value]]) -> int:
        """Append a directory of `tag: (type, values)`, and return where it lies."""
        offset, entries = "Q" if self.is_big else "I", []
        for tag, (kind, value) in sorted(tags.items()):
            values = list(value) if isinstance(value, Sequence) else [value]
            data = struct.pack(f"{self.order}{len(values)}{INLINE[kind]}", *values)
            room = struct.calcsize(f"={offset}")
            if len(data) > room:
                data = struct.pack(f"{self.order}{offset}", self.put(data))
            head = struct.pack(f"{self.order}HH{offset}", tag, kind, len(values))
            entries.append(head + data.ljust(room, b"\0"))
        count = struct.pack(f"{self.order}{'Q' if self.is_big else 'H'}", len(entries))
        return self.put(count + b"".join(entries) + bytes(8 if self.is_big else 4))

    def page(self, tags: dict[int, tuple[int, Value]]) -> int:
        """Append a page, linked to the one before."""
        place, offset = self.directory(tags), "Q" if self.is_big else "I"
        struct.pack_into(f"{self.order}{offset}", self.content, self.link, place)
        count = f"{self.order}{'Q' if self.is_big else 'H'}"
        entries = struct.unpack_from(count, self.content, place)[0]
        self.link = place + struct.calcsize(count) + entries * (20 if self.is_big else 12)
        return place


def packed(values: np.ndarray, bits: int) -> bytes:
    """Rows of unsigned integers without a gap, each row beginning with a whole byte; in plain loops."""
    rows = []
    for row in values.reshape(len(values), -1).tolist():
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(bytes(int(text[start : start + 8], 2) for start in range(0, len(text), 8)))
    return b"".join(rows)


def picture(
    written: Written,
    data: bytes | Sequence[bytes],
    size: tuple[int, int],
    bits: int,
    *,
    channels: int = 1,
    photometric: int = 1,
    more: dict[int, tuple[int, Value]] | None = None,
) -> dict[int, tuple[int, Value]]:
    """Tags of a picture whose strips are appended to the file.

    Args:
        written: the file.
        data: the strips, or the only one.
        size: width and height.
        bits: of each sample.
        channels: of each pixel.
        photometric: 0 for white is zero, 1 for black is zero, 2 for colours.
        more: further tags, which count before the others.
    """
    strips = [data] if isinstance(data, bytes) else list(data)
    places = [written.put(strip) for strip in strips]
    tags: dict[int, tuple[int, Value]] = {
        256: (4, size[0]),
        257: (4, size[1]),
        258: (3, [bits] * channels),
        259: (3, 1),
        262: (3, photometric),
        273: (4, places),
        277: (3, channels),
        278: (4, -(-size[1] // len(strips))),
        279: (4, [len(strip) for strip in strips]),
    }
    return {**tags, **(more or {})}


def single(values: np.ndarray, bits: int, order: str = "<", **options: object) -> bytes:
    """A file of one picture; values (H, W) or (H, W, C), of whole bytes as they are, else packed."""
    written = Written(order)
    whole = bits in (8, 16, 32, 64) or values.dtype.kind == "f"
    data = values.astype(values.dtype.newbyteorder(order)).tobytes() if whole else packed(values, bits)
    size, channels = (values.shape[1], values.shape[0]), 1 if values.ndim == 2 else values.shape[2]
    if channels > 1:
        options = {"photometric": 2, **options}
    written.page(picture(written, data, size, bits, channels=channels, **options))  # type: ignore[arg-type]
    return bytes(written.content)


def deflated(values: np.ndarray) -> bytes:
    return zlib.compress(values.tobytes())
