"""From the bytes of an image file to RGB pixels, whatever the file holds.

| in the file | what happens |
|---|---|
| grey, palette, CMYK, YCbCr, LAB | converted to RGB |
| alpha | ignored: the stored colours are used, as the published numbers do |
| 16 bits per channel | scaled to 8 bits by the full range, the same for every image |
| floating point, 32-bit integers beyond 16 bits | refused: no range is known |
| several frames or pages | the first one, and the reason says so |
| EXIF orientation | applied: pixels are seen upright |
| more pixels than `PIL.Image.MAX_IMAGE_PIXELS` | refused as `too_large` before decoding |
| truncated, damaged, empty, not an image, an image of a kind not in `FORMATS` | refused as `unreadable` |
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from storage.errors import UnreadableImageError
from storage.images import libtiff
from storage.images.cut_jpeg import is_cut_short

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".jp2"})
"""File names that promise an image."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "JPEG2000")
"""Kinds that are decoded, whatever the file's name: Pillow knows more, some of which run other programs."""

SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I;16N")
EXIF_ORIENTATION = 0x0112
UPRIGHT = 1
"""The EXIF orientation of pixels that are stored as they are seen."""
TURNED = range(2, 9)
"""The other ones there are."""
QUARTER_TURNS = (5, 6, 7, 8)
PNG_ORIENTATION_SIGNS = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
"""One of these stands in a PNG that has an orientation, before or after its pixels."""

CUT_OR_DAMAGED = "the file is cut short or damaged; copy it again from where it came"

BLOCK_BYTES = 64 * 2**20
"""In which Pillow asks for memory: glibc gives blocks of more than 32 MB back to the system as soon as they are freed,
smaller ones it keeps, for each thread, so that threads in turn would hold a large photograph each."""

# Too large images are refused by their size, damaged ones by an error; nothing else is to be said about them. Filters
# belong to the whole process, so none is set while threads decode.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
libtiff.silence()
Image.core.set_block_size(BLOCK_BYTES)


class TooLargeImageError(UnreadableImageError):
    """The image has more pixels than is safe to decode."""


@dataclass(frozen=True)
class Header:
    """What an image file says of itself before its pixels are decoded."""

    width: int
    """Pixels, upright."""
    height: int
    remark: str
    """Something the reader of the table should know, e.g. that only the first frame is used; else empty."""
    orientation: int = UPRIGHT
    """EXIF's number of how the stored pixels are turned."""


def read_header(content: bytes) -> Header:
    """Read size and kind of an image without decoding it.

    Raises:
        TooLargeImageError: if it has more pixels than is safe to decode.
        UnreadableImageError: if it is no image, or of a kind whose range is not known.
    """
    with _opened_in_known_range(content) as image:
        try:
            frame_count = getattr(image, "n_frames", 1)
            size = _stored_size(image)
            orientation = _orientation(image, content)
            width, height = reversed(size) if orientation in QUARTER_TURNS else size
        except Exception as error:  # damaged tags and frames raise many kinds
            raise UnreadableImageError(f"its header cannot be read ({error}): {CUT_OR_DAMAGED}") from error
        return Header(width, height, f"first of {frame_count} frames" if frame_count > 1 else "", orientation)


def decode(content: bytes) -> Image.Image:
    """Decode an image file to upright RGB.

    Raises:
        UnreadableImageError: as `read_header`, or if the pixels are cut short or damaged.
    """
    with _opened_in_known_range(content) as image:
        try:
            require_whole(image, content)
            ImageOps.exif_transpose(image, in_place=True)  # a second copy of large photographs would be large too
            image.info.pop("transparency", None)  # else Pillow warns that it is lost
            plain = image.mode in SIXTEEN_BIT_MODES or image.mode == "I"
            upright = _scaled_to_8_bits(image) if plain else image
            return upright if upright.mode == "RGB" else upright.convert("RGB")
        except UnreadableImageError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds for damaged data
            raise UnreadableImageError(f"its pixels cannot be decoded ({error}): {CUT_OR_DAMAGED}") from error


def require_whole(image: Image.Image, content: bytes) -> None:
    """Decode the pixels of an opened image, all of which must be in the file.

    Raises:
        UnreadableImageError: if it is a JPEG that was cut short and has an end marker all the same.
        Exception: whatever Pillow's decoders raise for other damaged data.
    """
    image.load()
    if is_cut_short(image, content):
        raise UnreadableImageError(f"its pixels end early, before an end marker that was added: {CUT_OR_DAMAGED}")


def open_picture(content: bytes) -> Image.Image:
    """An image of one of the `FORMATS`, whose pixels are not decoded yet; every file from strangers is opened here.

    Raises:
        TooLargeImageError: if it has more pixels than is safe to decode.
        UnreadableImageError: if it is no image of these formats.
    """
    if not content:
        raise UnreadableImageError("the file is empty")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise TooLargeImageError(f"it must have at most {Image.MAX_IMAGE_PIXELS:,} pixels; {error}") from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(_why_unidentified(content)) from error
    except Exception as error:  # damaged headers raise many kinds
        raise UnreadableImageError(f"its header cannot be read ({error}): {CUT_OR_DAMAGED}") from error
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise TooLargeImageError(f"it must have at most {limit:,} pixels, got {image.width} × {image.height}")
    return image


def _opened_in_known_range(content: bytes) -> Image.Image:
    image = open_picture(content)
    if image.mode == "F":
        raise UnreadableImageError("it holds floating point pixels of unknown range; store it with 8 or 16 bits")
    if image.mode == "I" and image.format == "TIFF":  # in other formats Pillow's mode for 16 bits
        raise UnreadableImageError("it holds 32-bit or signed pixels of unknown range; store it with 8 or 16 bits")
    return image


def _why_unidentified(content: bytes) -> str:
    """Pillow says of no file why no format fits; the one that its first bytes promise is asked again."""
    for kind in FORMATS:
        factory, accepts = Image.OPEN[kind]
        if accepts is None or accepts(content[:16]) is not True:
            continue
        try:
            factory(io.BytesIO(content), "").close()
        except Exception as error:  # damaged headers raise many kinds
            return f"it begins like {kind}, but is damaged, cut short or of a kind that is not supported ({error})"
    return f"its content must be one of {', '.join(FORMATS)}, and is none"


def _stored_size(image: Image.Image) -> tuple[int, int]:
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # whose size may already be upright
        return image.tag_v2[TiffImagePlugin.IMAGEWIDTH], image.tag_v2[TiffImagePlugin.IMAGELENGTH]
    return image.size


def _orientation(image: Image.Image, content: bytes) -> int:
    if image.format == "PNG" and not any(sign in content for sign in PNG_ORIENTATION_SIGNS):
        return UPRIGHT  # Pillow would decode all pixels to look for it after them
    stored = image.getexif().get(EXIF_ORIENTATION, UPRIGHT)
    return int(stored) if stored in TURNED else UPRIGHT


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise UnreadableImageError("it holds 32-bit pixels of unknown range; store it with 8 or 16 bits")
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))  # rounded
