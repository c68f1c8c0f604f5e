"""How the stored pixels of a photograph are turned, by its EXIF or XMP, and pixels turned upright.

Broken metadata never make a picture unreadable: what cannot be read says nothing, and the picture is taken as upright.
"""

import re

from PIL import Image

from storage.images.formats.tiff_directory import Tag, read_directory, read_form

EXIF_ORIENTATION = int(Tag.ORIENTATION)
UPRIGHT = 1
"""The EXIF orientation of pixels that are stored as they are seen."""
TURNED = range(2, 9)
"""The other ones there are."""
QUARTER_TURNS = (5, 6, 7, 8)
UNREADABLE = "its EXIF cannot be read, so it was taken as upright"
"""A remark."""

EXIF_BEGINS = re.compile(rb"^(Exif\0\0){1,2}")
XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:\s*=\s*[\"']|>)\s*([0-9])")
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def in_exif(exif: bytes) -> int | None:
    """The orientation in an EXIF block; None if it says nothing of it.

    Raises:
        ValueError: if the block cannot be read.
    """
    block = EXIF_BEGINS.sub(b"", exif)
    if not block:
        return None
    form, offset = read_form(block)
    values = read_directory(block, form, offset).numbers(Tag.ORIENTATION)
    return known(values[0]) if values else None


def in_xmp(xmp: bytes) -> int:
    """The orientation in an XMP block; upright if it says nothing of it."""
    match = XMP_ORIENTATION.search(xmp)
    return known(int(match[1])) if match else UPRIGHT


def known(value: float) -> int:
    """An orientation as there is one; all other numbers mean upright."""
    return int(value) if value in TURNED else UPRIGHT


def orientation_of(exif: bytes, xmp: bytes) -> tuple[int, str]:
    """The orientation that a picture's metadata give, and a remark where they cannot be read."""
    try:
        own = in_exif(exif)
    except ValueError:
        from_xmp = in_xmp(xmp)
        return from_xmp, UNREADABLE if from_xmp == UPRIGHT else ""
    return (in_xmp(xmp) if own is None else own), ""


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as it is seen; the same object where nothing is to be turned."""
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
