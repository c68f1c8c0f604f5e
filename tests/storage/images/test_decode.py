"""Decoding: every line of the table in `storage.images.decode`, on real files."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.errors import UnreadableImageError
from storage.images.decode import Header, decode, read_header
from storage.images.formats.orientation import EXIF_ORIENTATION
from tests.storage.encoding import BLUE, GREEN, HEIGHT, RED, WIDTH, colours, encoded, greys, palette_image, pixels, png


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


@pytest.mark.parametrize("reading", [read_header, decode])
@pytest.mark.parametrize("value", [255, 65535, 65536, -1, 2**31 - 1])
def test_32_bit_integers_are_refused_whatever_they_hold(value: int, reading: Callable[[bytes], object]) -> None:
    """Were small values accepted, a lot could be refused in one part and blacked out in the other."""
    content = encoded(Image.fromarray(np.array([[0, value]], dtype=np.int32)), "TIFF")
    with pytest.raises(UnreadableImageError, match="32-bit or signed pixels of unknown range; store it with 8 or 16"):
        reading(content)


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
    assert read_header(content) == Header(HEIGHT, WIDTH, "", orientation=6)
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
