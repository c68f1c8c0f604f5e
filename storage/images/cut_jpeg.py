"""JPEGs that were cut short and then given an end marker, as some transfers and repair tools leave them.

The decoder fills what is missing and reports nothing: with mid-grey blocks in a baseline file, with a coarser picture
in a progressive one. Bytes inserted before the end marker tell: after complete data they are skipped, in incomplete
data they are taken for the missing blocks and change the picture.

A progressive file that lacks its last scans as a whole is a valid, coarser picture: that cannot be told.
"""

import io

from PIL import Image, ImageChops

END_MARKER = b"\xff\xd9"
FILLING = b"".join(bytes(range(1, 255)) + bytes((0xFF, 0xD0 + number)) for number in range(8)) + bytes(range(1, 255))
"""Taken for blocks where data are missing, also where a restart marker (0xFFD0 to 0xFFD7) is; else skipped."""
FILLED = {127, 128}
"""Values of a block without data; 127 where colours are stored inverted."""


def is_cut_short(image: Image.Image, content: bytes) -> bool:
    """Whether a JPEG lacks data before its end marker; costs a second decoding only where something hints at it.

    Args:
        image: decoded, of format JPEG; other formats are never found cut.
    """
    if image.format not in ("JPEG", "MPO"):
        return False
    end = content.rfind(END_MARKER)
    if end < 0 or not ("progressive" in image.info or _ends_in_filling(image)):
        return False
    with Image.open(io.BytesIO(content[:end] + FILLING + content[end:]), formats=("JPEG",)) as filled:
        return ImageChops.difference(filled.convert("RGB"), image.convert("RGB")).getbbox() is not None


def _ends_in_filling(image: Image.Image) -> bool:
    last = image.getpixel((image.width - 1, image.height - 1))
    values = last if isinstance(last, tuple) else (last,)
    return all(value in FILLED for value in values)
