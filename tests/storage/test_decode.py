"""Decoding: every line of the table in `storage.decode`, on real files."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.decode import EXIF_ORIENTATION, Header, TooLargeImageError, decode, read_header
from storage.errors import UnreadableImageError

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


def png(header: tuple[int, ...], rows: bytes) -> bytes:
    """A PNG made by hand, of a kind Pillow does not write; `header` is (width, height, bits, colour type)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    parts = (chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0)), chunk(b"IDAT", zlib.compress(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_decode_keeps_rgb_bit_for_bit(kind: str) -> None:
    expected = colours()
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(expected), kind)), expected)


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("JPEG2000", {"irreversible": False})])
def test_decode_reads_lossless_kinds_of_other_codecs(kind: str, options: dict[str, bool]) -> None:
    expected = colours(32, 32)
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(expected), kind, **options)), expected)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF"])
def test_decode_repeats_grey_in_every_channel(kind: str) -> None:
    expected = greys()
    result = pixels(encoded(Image.fromarray(expected), kind))
    np.testing.assert_array_equal(result, np.repeat(expected[..., None], 3, axis=2))


def test_decode_spreads_black_and_white() -> None:
    image = Image.fromarray(greys() > 127)
    assert image.mode == "1"
    np.testing.assert_array_equal(pixels(encoded(image, "PNG"))[..., 0], np.where(greys() > 127, 255, 0))


def palette_image() -> Image.Image:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putdata([2, 0, 1])
    return image


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("PNG", {"transparency": 0}),
        ("PNG", {"transparency": b"\x00\x80\xff"}),
        ("GIF", {}),
        ("GIF", {"transparency": 0}),
        ("BMP", {}),
    ],
    ids=["png", "png_transparent_colour", "png_transparency_table", "gif", "gif_transparent_colour", "bmp"],
)
def test_decode_looks_up_the_palette_and_ignores_transparency(kind: str, options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(pixels(encoded(palette_image(), kind, **options)), [[BLUE, RED, GREEN]])


@pytest.mark.parametrize("transparency", [(9, 9, 9), (255, 0, 0)])
def test_decode_ignores_a_transparent_colour(transparency: tuple[int, ...]) -> None:
    content = encoded(Image.new("RGB", (2, 1), RED), "PNG", transparency=transparency)
    np.testing.assert_array_equal(pixels(content), [[RED, RED]])


@pytest.mark.parametrize("alpha", [0, 1, 128, 255])
def test_decode_keeps_stored_colours_under_any_alpha(alpha: int) -> None:
    content = encoded(Image.new("RGBA", (2, 1), (200, 100, 50, alpha)), "PNG")
    np.testing.assert_array_equal(pixels(content), [[(200, 100, 50)] * 2])


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_decode_keeps_stored_grey_under_any_alpha(alpha: int) -> None:
    content = encoded(Image.new("LA", (2, 1), (200, alpha)), "PNG")
    np.testing.assert_array_equal(pixels(content), [[(200, 200, 200)] * 2])


@pytest.mark.parametrize("ink", [(0, 255, 255, 0), (255, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0)])
def test_decode_mixes_cmyk_inks_of_a_jpeg(ink: tuple[int, int, int, int]) -> None:
    content = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=95)
    *inks, black = ink
    expected = [(255 - amount) * (255 - black) // 255 for amount in inks]
    np.testing.assert_allclose(pixels(content), np.broadcast_to(expected, (16, 16, 3)), atol=3)


def test_decode_converts_ycbcr_of_a_jpeg() -> None:
    content = encoded(Image.new("RGB", (16, 16), (200, 100, 50)), "JPEG", quality=95)
    np.testing.assert_allclose(pixels(content), np.broadcast_to((200, 100, 50), (16, 16, 3)), atol=3)


@pytest.mark.parametrize(("lab", "rgb"), [((255, 0, 0), (255, 255, 255)), ((0, 0, 0), (0, 0, 0)), ((136, 80, 67), RED)])
def test_decode_converts_lab(lab: tuple[int, int, int], rgb: tuple[int, int, int]) -> None:
    """Red is L = 53.2, a = 80.1, b = 67.2 at white point D65; Pillow's LAB is D50, hence the width of the band."""
    stored = bytes(component & 0xFF for component in lab)
    content = encoded(Image.frombytes("LAB", (2, 1), stored * 2), "TIFF")
    np.testing.assert_allclose(pixels(content), [[rgb, rgb]], atol=20)


SIXTEEN_BIT = np.array([[0, 128, 129, 257, 32896, 65406, 65407, 65535]], dtype=np.uint16)
EIGHT_BIT = np.array([[0, 0, 1, 1, 128, 254, 255, 255]], dtype=np.uint8)
"""The nearest of 256 evenly spaced levels: v / 257, rounded."""


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_decode_scales_16_bit_grey_by_the_full_range(kind: str) -> None:
    image = Image.fromarray(SIXTEEN_BIT)
    assert image.mode == "I;16"
    np.testing.assert_array_equal(pixels(encoded(image, kind))[..., 1], EIGHT_BIT)


def test_decode_scales_16_bit_grey_of_big_endian_tiff() -> None:
    image = Image.frombytes("I;16B", (8, 1), SIXTEEN_BIT.astype(">u2").tobytes())
    np.testing.assert_array_equal(pixels(encoded(image, "TIFF"))[..., 1], EIGHT_BIT)


def test_decode_does_not_stretch_a_dark_16_bit_image() -> None:
    """The same grey is the same level in every image, whatever else the image holds."""
    dark = encoded(Image.fromarray(SIXTEEN_BIT[:, :4]), "PNG")
    np.testing.assert_array_equal(pixels(dark)[..., 0], EIGHT_BIT[:, :4])


@pytest.mark.parametrize("channel_count", [3, 4])
def test_decode_scales_16_bit_colours_by_the_full_range(channel_count: int) -> None:
    levels = np.array([0, 51, 204, 255])[:channel_count]
    row = b"\x00" + (levels * 257).astype(">u2").tobytes()
    content = png((1, 1, 16, {3: 2, 4: 6}[channel_count]), row)
    np.testing.assert_array_equal(pixels(content), [[levels[:3]]])


@pytest.mark.parametrize(("largest", "middle"), [(1023, 512), (65535, 32768)])
def test_decode_scales_a_grey_map_by_its_stated_range(largest: int, middle: int) -> None:
    content = b"P5 3 1 %d\n" % largest + np.array([0, middle, largest], ">u2").tobytes()
    np.testing.assert_array_equal(pixels(content)[..., 0], [[0, 128, 255]])


def test_decode_scales_32_bit_integers_within_16_bits() -> None:
    content = encoded(Image.fromarray(SIXTEEN_BIT.astype(np.int32)), "TIFF")
    np.testing.assert_array_equal(pixels(content)[..., 1], EIGHT_BIT)


@pytest.mark.parametrize("value", [65536, -1, 2**31 - 1])
def test_decode_refuses_32_bit_integers_beyond_16_bits(value: int) -> None:
    content = encoded(Image.fromarray(np.array([[0, value]], dtype=np.int32)), "TIFF")
    with pytest.raises(UnreadableImageError, match="32-bit pixels of unknown range; store it with 8 or 16 bits"):
        decode(content)


@pytest.mark.parametrize("reading", [read_header, decode])
def test_floating_point_pixels_are_refused(reading: Callable[[bytes], object]) -> None:
    content = encoded(Image.fromarray(np.array([[0.0, 0.5]], dtype=np.float32)), "TIFF")
    with pytest.raises(UnreadableImageError, match="floating point pixels of unknown range; store it with 8 or 16"):
        reading(content)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_first_of_several_frames_is_used_and_noted(kind: str) -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in (RED, GREEN, BLUE)]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert read_header(content) == Header(4, 3, "first of 3 frames")
    np.testing.assert_array_equal(pixels(content), np.broadcast_to(RED, (3, 4, 3)))


UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}
"""By EXIF orientation, how stored pixels (H, W, …) are seen upright."""


def oriented(stored: np.ndarray, kind: str, orientation: int, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return encoded(Image.fromarray(stored), kind, exif=exif, **options)


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_decode_turns_pixels_upright(kind: str, orientation: int) -> None:
    stored = colours()
    content = oriented(stored, kind, orientation, **({"lossless": True} if kind == "WEBP" else {}))
    np.testing.assert_array_equal(pixels(content), UPRIGHT[orientation](stored))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_decode_turns_photographs_upright(orientation: int) -> None:
    stored = np.zeros((16, 32, 3), dtype=np.uint8)
    stored[:8, :8] = 255  # one corner of the stored picture is white
    result = pixels(oriented(stored, "JPEG", orientation, quality=95))
    expected = UPRIGHT[orientation](stored)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, atol=8)


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_header_size_is_the_decoded_size(kind: str, orientation: int) -> None:
    content = oriented(colours(), kind, orientation)
    header, image = read_header(content), decode(content)
    assert (header.width, header.height) == image.size
    assert header.remark == ""


def test_orientation_after_the_pixels_of_a_png_counts() -> None:
    stored = colours()
    plain, turned = encoded(Image.fromarray(stored), "PNG"), oriented(stored, "PNG", 6)
    start = turned.index(b"eXIf") - 4
    (length,) = struct.unpack(">I", turned[start : start + 4])
    content = plain[:-12] + turned[start : start + 12 + length] + plain[-12:]  # before IEND, the last 12 bytes
    assert read_header(content) == Header(HEIGHT, WIDTH, "")
    np.testing.assert_array_equal(pixels(content), UPRIGHT[6](stored))


def test_decode_turns_16_bit_pixels_upright() -> None:
    content = oriented(SIXTEEN_BIT, "PNG", 6)
    np.testing.assert_array_equal(pixels(content)[..., 0], np.rot90(EIGHT_BIT, -1))


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_unknown_orientation_is_left_as_stored(orientation: int) -> None:
    stored = colours()
    content = oriented(stored, "PNG", orientation)
    assert read_header(content) == Header(WIDTH, HEIGHT, "")
    np.testing.assert_array_equal(pixels(content), stored)


@pytest.mark.parametrize("reading", [read_header, decode])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"not an image", "its content must be one of PNG, JPEG, .* and is none"),
        (b"\x89PNG\r\n\x1a\n", "is none"),
        (b"\x00" * 1000, "is none"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n", "is none"),
    ],
    ids=["empty", "text", "signature_only", "zeros", "postscript"],
)
def test_what_is_no_image_is_refused(content: bytes, reason: str, reading: Callable[[bytes], object]) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        reading(content)


def photograph(kind: str, **options: Any) -> bytes:
    return encoded(Image.fromarray(colours(64, 64)), kind, **options)


CUT = {
    "png": photograph("PNG"),
    "jpeg": photograph("JPEG"),
    "progressive_jpeg": photograph("JPEG", progressive=True),
    "bmp": photograph("BMP"),
    "webp": photograph("WEBP"),
    "ppm": photograph("PPM"),
}


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", CUT)
def test_decode_refuses_truncated_files(kind: str, share: float) -> None:
    content = CUT[kind]
    with pytest.raises(UnreadableImageError):
        decode(content[: int(len(content) * share)])


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff"])
def test_any_cut_is_refused_or_changes_nothing(kind: str) -> None:
    """A cut in what follows the pixels may go unnoticed; a cut picture may not."""
    small = Image.fromarray(colours(12, 12))
    content = encoded(small.quantize(16) if kind == "gif" else small, kind)
    whole = pixels(content)
    refused = 0
    for stop in range(len(content)):
        try:
            np.testing.assert_array_equal(pixels(content[:stop]), whole)
        except UnreadableImageError:
            refused += 1
    assert refused > len(content) / 2


@pytest.mark.parametrize("kind", ["gif", "tiff", "jpeg", "png", "webp"])
def test_header_of_any_damage_is_read_or_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file raises no other error than the one the listing knows, whichever byte is damaged."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    frames = [Image.new("P", (9, 9), grey) for grey in (1, 2)] if kind == "gif" else [Image.fromarray(colours())] * 2
    several: dict[str, Any] = {"save_all": True, "append_images": frames[1:]} if kind in ("gif", "tiff") else {}
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    content = encoded(frames[0], kind, **several, **({} if kind == "gif" else {"exif": exif}))
    rng = np.random.default_rng(11)
    outcomes: set[type] = set()
    for _ in range(150):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            damaged[place] = rng.integers(0, 256)
        for reading in (read_header, decode):
            try:
                outcomes.add(type(reading(bytes(damaged[: rng.integers(1, len(content) + 1)]))))
            except UnreadableImageError:
                outcomes.add(UnreadableImageError)
    assert UnreadableImageError in outcomes


def claiming(width: int, height: int) -> bytes:
    """A small PNG whose header claims a size."""
    return png((width, height, 8, 0), b"\x00")


@pytest.mark.parametrize("reading", [read_header, decode])
@pytest.mark.parametrize(("width", "height"), [(11, 10), (10, 20), (21, 10), (100, 100)])
def test_too_many_pixels_are_refused_by_the_header(
    width: int, height: int, reading: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow warns beyond its limit and raises beyond twice the limit; both are refusals here."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(TooLargeImageError, match="it must have at most 100 pixels"):
        reading(claiming(width, height))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_where_pillow_is_told_not_to_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(TooLargeImageError, match="it must have at most 100 pixels, got 11 × 10"):
        read_header(claiming(11, 10))


def test_as_many_pixels_as_allowed_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", HEIGHT * WIDTH)
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(colours()), "PNG")), colours())


def test_header_of_any_size_is_read_undecoded_where_the_limit_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert read_header(claiming(30_000, 30_000)) == Header(30_000, 30_000, "")


def test_threads_refuse_every_bomb_and_say_nothing_else() -> None:
    """Outside pytest, where warnings are printed: one process, many threads, all kinds of refusals mixed."""
    program = (
        "import sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from PIL import Image\n"
        "from storage.decode import TooLargeImageError, read_header\n"
        "Image.MAX_IMAGE_PIXELS = 30\n"
        "content = sys.stdin.buffer.read()\n"
        "def refused(_):\n"
        "    try:\n"
        "        read_header(content)\n"
        "    except TooLargeImageError:\n"
        "        return 1\n"
        "    return 0\n"
        "with ThreadPoolExecutor(8) as threads:\n"
        "    print(sum(threads.map(refused, range(200))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=encoded(Image.fromarray(colours()), "PNG"),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout.decode().strip(), done.stderr) == ("200", b"")


def test_threads_decode_what_one_thread_decodes() -> None:
    contents = [encoded(palette_image(), "PNG", transparency=b"\x00\x80\xff"), *CUT.values()] * 4
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(pixels, contents))
    for alone, result in zip(map(pixels, contents), together, strict=True):
        np.testing.assert_array_equal(result, alone)
