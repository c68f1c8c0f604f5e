"""From the bytes of an image file to RGB pixels, whatever the file holds.

| in the file | what happens |
|---|---|
| grey, palette, CMYK, YCbCr, LAB | converted to RGB |
| alpha | ignored: the stored colours are used, as the published numbers do |
| 16 bits per channel | scaled to 8 bits by the full range, the same for every image |
| a TIFF that declares other bits or another range | scaled by what it declares (`formats.tiff_samples`) |
| floating point, signed, 32-bit integers, without a declared range | refused: no range is known |
| several frames or pages | the first one, and the reason says so; of a TIFF the photograph (`formats.tiff_pages`) |
| EXIF orientation | applied: pixels are seen upright |
| metadata that are broken or long | left aside; the reason says so where an orientation may be lost |
| more pixels than `PIL.Image.MAX_IMAGE_PIXELS` | refused as `too_large` before decoding |
| truncated, damaged, empty, not an image, an image of a kind not in `FORMATS` | refused as `unreadable` |
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from storage.errors import UnreadableImageError
from storage.images import silence_libtiff as libtiff
from storage.images.cut_jpeg import is_cut_short
from storage.images.formats.metadata import separate
from storage.images.formats.orientation import QUARTER_TURNS, UPRIGHT, orientation_of, turn_upright
from storage.images.formats.tiff_pages import Page, alone, find_photograph
from storage.images.formats.tiff_samples import Samples, decode_samples, own_samples

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "JPEG2000")
"""Kinds that are decoded, whatever the file's name: Pillow knows more, some of which run other programs."""

TIFF_BEGINS = (b"II", b"MM")
SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I;16N")
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


@dataclass(frozen=True)
class StoredPicture:
    """The one picture of a file that is looked at, apart from its metadata."""

    content: bytes
    """As Pillow is given it."""
    orientation: int
    """EXIF's number of how the stored pixels are turned."""
    remark: str
    page: Page | None = None
    """Of a TIFF."""

    @property
    def samples(self) -> Samples | None:
        """How it is decoded where Pillow does it otherwise than the file declares.

        Raises:
            UnreadableImageError: if it holds numbers whose range is not known.
        """
        return own_samples(self.page.directory) if self.page else None


def find_picture(content: bytes) -> StoredPicture:
    """The photograph in a file, how it is turned, and what should be known of it."""
    if content[:2] in TIFF_BEGINS:
        try:
            page = find_photograph(content)
            return StoredPicture(alone(page), page.orientation, page.remark, page)
        except ValueError:  # Pillow says what is wrong with it
            return StoredPicture(content, UPRIGHT, "")
    parts = separate(content)
    orientation, remark = orientation_of(parts.exif, parts.xmp)
    return StoredPicture(parts.picture, orientation, join_remarks(parts.remark, remark))


def read_header(content: bytes) -> Header:
    """Read size and kind of an image without decoding it.

    Raises:
        TooLargeImageError: if it has more pixels than is safe to decode.
        UnreadableImageError: if it is no image, or of a kind whose range is not known.
    """
    stored = find_picture(content)
    try:
        samples = stored.samples
        size, remark = (samples.page.size, samples.remark) if samples else _size_and_frames(stored.content)
    except UnreadableImageError:
        raise
    except Exception as error:  # damaged tags and frames raise many kinds
        raise UnreadableImageError(f"its header cannot be read ({error}): {CUT_OR_DAMAGED}") from error
    require_safe(*size)
    width, height = reversed(size) if stored.orientation in QUARTER_TURNS else size
    return Header(width, height, join_remarks(remark, stored.remark), stored.orientation)


def decode(content: bytes) -> Image.Image:
    """Decode an image file to upright RGB.

    Raises:
        UnreadableImageError: as `read_header`, or if the pixels are cut short or damaged.
    """
    stored = find_picture(content)
    try:
        upright = turn_upright(_decoded(stored), stored.orientation)
        return upright if upright.mode == "RGB" else upright.convert("RGB")
    except UnreadableImageError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds for damaged data
        raise UnreadableImageError(f"its pixels cannot be decoded ({error}): {CUT_OR_DAMAGED}") from error


def format_of(content: bytes) -> str:
    """Which of the `FORMATS` a file has; a JPEG that holds further pictures is a JPEG.

    Raises:
        UnreadableImageError: if it is no image of these formats.
    """
    stored = find_picture(content)
    kind = "TIFF" if stored.page else str(open_picture(stored.content).format)
    return "JPEG" if kind == "MPO" else kind


def join_remarks(*remarks: str) -> str:
    """Several remarks as one, without empty ones."""
    return "; ".join(filter(None, remarks))


def require_safe(width: int, height: int) -> None:
    """Refuse a size that is not safe to decode.

    Raises:
        TooLargeImageError: naming the limit.
    """
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise TooLargeImageError(f"it must have at most {limit:,} pixels, got {width} × {height}")


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
    require_safe(image.width, image.height)
    return image


def _size_and_frames(content: bytes) -> tuple[tuple[int, int], str]:
    """Width and height as stored, and a remark where there are several frames."""
    with _opened_in_known_range(content) as image:
        frame_count = getattr(image, "n_frames", 1)
        return image.size, f"first of {frame_count} frames" if frame_count > 1 else ""


def _decoded(stored: StoredPicture) -> Image.Image:
    """The pixels as they are stored, with 8 bits."""
    if samples := stored.samples:
        require_safe(*samples.page.size)
        return decode_samples(samples)
    with _opened_in_known_range(stored.content) as image:
        require_whole(image, stored.content)
        image.info.pop("transparency", None)  # else Pillow warns that it is lost
        plain = image.mode in SIXTEEN_BIT_MODES or image.mode == "I"
        return _scaled_to_8_bits(image) if plain else image


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


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise UnreadableImageError("it holds 32-bit pixels of unknown range; store it with 8 or 16 bits")
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))  # rounded
