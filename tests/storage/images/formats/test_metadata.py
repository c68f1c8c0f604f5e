"""Sound pictures with broken or long metadata: read upright, with a remark where an orientation may be lost."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from storage.errors import UnreadableImageError
from storage.images.decode import Header, decode, format_of, read_header
from storage.images.formats.metadata import LONG, MOST_TEXT_BYTES
from storage.images.formats.orientation import EXIF_ORIENTATION, UNREADABLE
from tests.storage.encoding import colours, encoded

STORED = colours()
HEIGHT, WIDTH, _ = STORED.shape
PLAIN = encoded(Image.fromarray(STORED), "PNG")
BROKEN_EXIF = [
    b"",
    b"\0\x08\0\2\1\x12\0\3",
    b"no tags",
    b"II*\0",
    b"II*\0\xff\xff\0\0",
    b"MM\0*\xff\xff\xff\xff",
    b"II+\0\x08\0",
]
MUCH = zlib.compress(b"a" * (MOST_TEXT_BYTES + 1))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(made: bytes, *, after: bool) -> bytes:
    """The plain PNG with a chunk before or after its pixels."""
    place = len(PLAIN) - 12 if after else 33
    return PLAIN[:place] + made + PLAIN[place:]


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return exif.tobytes()


def read(content: bytes) -> Header:
    """The header of a picture whose pixels are those stored, upright."""
    np.testing.assert_array_equal(np.asarray(decode(content)), STORED)
    header = read_header(content)
    assert (header.width, header.height) == (WIDTH, HEIGHT)
    return header


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("exif", BROKEN_EXIF)
def test_png_with_broken_exif_is_read_as_stored(exif: bytes, after: bool) -> None:
    assert read(with_chunk(chunk(b"eXIf", exif), after=after)).remark == (UNREADABLE if exif else "")


@pytest.mark.parametrize("exif", BROKEN_EXIF[1:])
def test_webp_with_broken_exif_is_read_as_stored(exif: bytes) -> None:
    content = encoded(Image.fromarray(STORED), "WEBP", lossless=True, exif=b"Exif\0\0" + exif)
    assert read(content).remark == UNREADABLE


@pytest.mark.parametrize("exif", BROKEN_EXIF[1:])
def test_jpeg_with_broken_exif_is_read_as_stored(exif: bytes) -> None:
    image = Image.new("RGB", (16, 8), (200, 100, 50))
    content = encoded(image, "JPEG", exif=b"Exif\0\0" + exif)
    assert read_header(content) == Header(16, 8, UNREADABLE)
    assert decode(content).size == (16, 8)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "made",
    [
        chunk(b"zTXt", b"history\0\0" + MUCH),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + MUCH),
        chunk(b"iTXt", b"note\0\0\0\0\0" + b"a" * (MOST_TEXT_BYTES + 1)),
        chunk(b"iCCP", b"printer\0\0" + MUCH),
    ],
    ids=["text", "xmp", "plain text", "profile"],
)
def test_png_with_long_metadata_is_read_with_a_remark(made: bytes, after: bool) -> None:
    assert read(with_chunk(made, after=after)).remark == LONG


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "kind", [b"cHRM", b"pHYs", b"gAMA", b"sRGB", b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"sPLT", b"prVT"]
)
@pytest.mark.parametrize("content", [b"", b"a", b"a\0\7junk", b"a\0\0junk"])
def test_png_with_broken_chunks_beside_its_pixels_is_read(kind: bytes, content: bytes, after: bool) -> None:
    assert not read(with_chunk(chunk(kind, content), after=after)).remark


def test_checksum_of_metadata_does_not_matter() -> None:
    assert not read(with_chunk(chunk(b"tEXt", b"a\0b")[:-1] + b"?", after=False)).remark


def test_checksum_of_the_header_matters() -> None:
    with pytest.raises(UnreadableImageError):
        decode(PLAIN[:29] + b"????" + PLAIN[33:])


def test_orientation_beside_long_text_counts() -> None:
    turned = chunk(b"eXIf", exif_of(6).removeprefix(b"Exif\0\0"))
    content = with_chunk(chunk(b"zTXt", b"history\0\0" + MUCH) + turned, after=False)
    assert read_header(content) == Header(HEIGHT, WIDTH, LONG, orientation=6)
    np.testing.assert_array_equal(np.asarray(decode(content)), np.rot90(STORED, -1))


def test_orientation_at_the_beginning_of_a_long_xmp_counts() -> None:
    packet = b'<x tiff:Orientation="3"/>' + b" " * MOST_TEXT_BYTES
    content = with_chunk(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet)), after=False)
    assert read_header(content) == Header(WIDTH, HEIGHT, LONG, orientation=3)


def test_orientation_as_image_magick_keeps_it_counts() -> None:
    block = exif_of(3)
    text = b"Raw profile type exif\0\nexif\n%8d\n%s\n" % (len(block), block.hex().encode())
    assert read_header(with_chunk(chunk(b"tEXt", text), after=True)).orientation == 3


def test_orientation_among_broken_entries_counts() -> None:
    entries = [(0x11A, 5, 1, 9_999_999), (0x112, 3, 1, 3), (0x8769, 4, 1, 9_999_999)]
    listed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 40) + listed
    assert read_header(with_chunk(chunk(b"eXIf", block), after=False)).orientation == 3


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_orientation_in_xmp_counts_where_exif_is_broken(kind: str) -> None:
    content = encoded(Image.new("RGB", (16, 8)), kind, exif=b"Exif\0\0no", xmp=b'<x tiff:Orientation="6"/>')
    assert read_header(content) == Header(8, 16, "", orientation=6)


@pytest.mark.parametrize(("marker", "body"), [(0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe")])
def test_jpeg_with_segments_that_are_too_short_is_read(marker: int, body: bytes) -> None:
    content = encoded(Image.new("RGB", (16, 8), (200, 100, 50)), "JPEG")
    broken = content[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + content[2:]
    np.testing.assert_array_equal(np.asarray(decode(broken)), np.asarray(decode(content)))


def test_frames_of_an_animated_png_are_still_counted() -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "green")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    assert read_header(buffer.getvalue()).remark == "first of 2 frames"


def test_jpeg_with_a_second_picture_is_a_jpeg() -> None:
    image = Image.new("RGB", (16, 8))
    assert format_of(encoded(image, "MPO", save_all=True, append_images=[image])) == "JPEG"
