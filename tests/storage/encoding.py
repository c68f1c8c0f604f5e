"""Pictures as files, and the pixels that decoding gives."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from storage.images.decode import decode

HEIGHT, WIDTH = 5, 7
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(content: bytes) -> np.ndarray:
    """(H, W, 3) uint8."""
    image = decode(content)
    assert image.mode == "RGB"
    return np.asarray(image)


def colours(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), dtype=np.uint8)


def greys() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)


def palette_image() -> Image.Image:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putdata([2, 0, 1])
    return image


def png(header: tuple[int, ...], rows: bytes) -> bytes:
    """A PNG made by hand, of a kind Pillow does not write; `header` is (width, height, bits, colour type)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    parts = (chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0)), chunk(b"IDAT", zlib.compress(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")
