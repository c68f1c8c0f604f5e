"""Decoding what is no image, damaged or too large; and in several threads."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.errors import UnreadableImageError
from storage.images.decode import Header, TooLargeImageError, decode, read_header
from storage.images.formats.orientation import EXIF_ORIENTATION
from tests.storage.encoding import HEIGHT, WIDTH, colours, encoded, palette_image, pixels, png


@pytest.mark.parametrize("reading", [read_header, decode])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"not an image", "its content must be one of PNG, JPEG, .* and is none"),
        (b"\x89PNG\r\n\x1a\n", "it begins like PNG, but is damaged, cut short"),
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


def leasing(width: int, height: int) -> bytes:
    """A small PNG whose header leases a size."""
    return png((width, height, 8, 0), b"\x00")


@pytest.mark.parametrize("reading", [read_header, decode])
@pytest.mark.parametrize(("width", "height"), [(11, 10), (10, 20), (21, 10), (100, 100)])
def test_too_many_pixels_are_refused_by_the_header(
    width: int, height: int, reading: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow warns beyond its limit and raises beyond twice the limit; both are refusals here."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(TooLargeImageError, match="it must have at most 100 pixels"):
        reading(leasing(width, height))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_where_pillow_is_told_not_to_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(TooLargeImageError, match="it must have at most 100 pixels, got 11 × 10"):
        read_header(leasing(11, 10))


def test_as_many_pixels_as_allowed_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", HEIGHT * WIDTH)
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(colours()), "PNG")), colours())


def test_header_of_any_size_is_read_undecoded_where_the_limit_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert read_header(leasing(30_000, 30_000)) == Header(30_000, 30_000, "")


def test_threads_refuse_every_bomb_and_say_nothing_else() -> None:
    """Outside pytest, where warnings are printed: one process, many threads, all kinds of refusals mixed."""
    program = (
        "import sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from PIL import Image\n"
        "from storage.images.decode import TooLargeImageError, read_header\n"
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
        cwd=Path(__file__).parents[3],
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
