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

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".jp2"})
"""File names that promise an image."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "JPEG2000")
"""Kinds that are decoded, whatever the file's name: Pillow knows more, some of which run other programs."""

SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I;16N")
EXIF_ORIENTATION = 0x0112
QUARTER_TURNS = (5, 6, 7, 8)
PNG_ORIENTATION_SIGNS = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
"""One of these stands in a PNG that has an orientation, before or after its pixels."""

# Too large images are refused by their size. Filters belong to the whole process, so none is set while threads decode.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


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
            width, height = reversed(size) if _orientation(image, content) in QUARTER_TURNS else size
        except Exception as error:  # damaged tags and frames raise many kinds
            raise UnreadableImageError(f"its header cannot be read ({error})") from error
        return Header(width, height, f"first of {frame_count} frames" if frame_count > 1 else "")


def decode(content: bytes) -> Image.Image:
    """Decode an image file to upright RGB.

    Raises:
        UnreadableImageError: as `read_header`, or if the pixels are cut short or damaged.
    """
    with _opened_in_known_range(content) as image:
        try:
            image.load()
            upright = ImageOps.exif_transpose(image)
            upright.info.pop("transparency", None)  # else Pillow warns that it is lost
            if upright.mode in SIXTEEN_BIT_MODES or upright.mode == "I":
                upright = _scaled_to_8_bits(upright)
            return upright.convert("RGB")
        except UnreadableImageError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds for damaged data
            raise UnreadableImageError(f"its pixels cannot be decoded ({error})") from error


def opened(content: bytes) -> Image.Image:
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
        raise UnreadableImageError(f"its content must be one of {', '.join(FORMATS)}, and is none") from error
    except Exception as error:  # damaged headers raise many kinds
        raise UnreadableImageError(f"its header cannot be read ({error})") from error
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise TooLargeImageError(f"it must have at most {limit:,} pixels, got {image.width} × {image.height}")
    return image


def _opened_in_known_range(content: bytes) -> Image.Image:
    image = opened(content)
    if image.mode == "F":
        raise UnreadableImageError("it holds floating point pixels of unknown range; store it with 8 or 16 bits")
    if image.mode == "I" and image.format == "TIFF":  # in other formats Pillow's mode for 16 bits
        raise UnreadableImageError("it holds 32-bit or signed pixels of unknown range; store it with 8 or 16 bits")
    return image


def _stored_size(image: Image.Image) -> tuple[int, int]:
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # whose size may already be upright
        return image.tag_v2[TiffImagePlugin.IMAGEWIDTH], image.tag_v2[TiffImagePlugin.IMAGELENGTH]
    return image.size


def _orientation(image: Image.Image, content: bytes) -> int | None:
    if image.format == "PNG" and not any(sign in content for sign in PNG_ORIENTATION_SIGNS):
        return None  # Pillow would decode all pixels to look for it after them
    return image.getexif().get(EXIF_ORIENTATION)


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise UnreadableImageError("it holds 32-bit pixels of unknown range; store it with 8 or 16 bits")
    return Image.fromarray((values / 257).round().astype(np.uint8))
