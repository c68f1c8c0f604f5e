"""Files cut short in ways that their format forgives: told as cut short, without a word on the process's stderr."""

import io
import re
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.datasets import LabelledImage, Mask, load_mask
from storage.errors import UnreadableImageError
from storage.images.cut_jpeg import END_MARKER, is_cut_short
from storage.images.decode import decode, read_header
from tests.storage.encoding import encoded

SIDE = 96
ROOT = Path(__file__).resolve().parents[3]
JPEGS: dict[str, Mapping[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "full colour resolution": {"subsampling": 0},
    "own tables": {"optimize": True},
    "restart markers": {"restart_marker_rows": 1},
}
COMPRESSIONS = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")


def photograph(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[:SIDE, :SIDE]
    noise = np.random.default_rng(7).normal(0, 6, (SIDE, SIDE))
    grey = 128 + 40 * np.sin(x / 9) + 30 * np.cos(y / 13) + noise
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert(mode)


@pytest.mark.parametrize("fraction", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", JPEGS)
def test_jpeg_cut_short_with_an_end_marker_is_refused(kind: str, mode: str, fraction: float) -> None:
    content = encoded(photograph(mode), "JPEG", quality=90, **JPEGS[kind])
    decode(content)
    cut = content[: int(len(content) * fraction)].rstrip(b"\xff") + END_MARKER
    with pytest.raises(UnreadableImageError, match="the file is cut short or damaged"):
        decode(cut)


@pytest.mark.parametrize("kind", JPEGS)
def test_whole_jpeg_that_ends_in_mid_grey_is_read(kind: str) -> None:
    grey = photograph("L")
    grey.paste(128, (0, SIDE // 2, SIDE, SIDE))
    assert decode(encoded(grey, "JPEG", **JPEGS[kind])).getpixel((SIDE - 1, SIDE - 1)) == (128, 128, 128)


def test_whole_jpeg_with_bytes_after_its_end_is_read() -> None:
    content = encoded(photograph(), "JPEG", progressive=True)
    trailer = b"SEFT" + encoded(photograph("L"), "JPEG")
    np.testing.assert_array_equal(np.asarray(decode(content + trailer)), np.asarray(decode(content)))


@pytest.mark.parametrize("row", range(0, 12, 2))
def test_jpeg_cut_at_a_restart_marker_is_refused(row: int) -> None:
    content = encoded(photograph(), "JPEG", restart_marker_rows=1, subsampling=0)
    pieces = re.split(rb"(?<=\xff[\xd0-\xd7])", content)
    assert len(pieces) == SIDE // 8
    for cut in (b"".join(pieces[: row + 1]), b"".join(pieces[: row + 1])[:-2]):
        with pytest.raises(UnreadableImageError):
            decode(cut + END_MARKER)


def test_other_formats_are_not_looked_at() -> None:
    content = encoded(Image.new("L", (4, 4), 128), "PNG")
    with Image.open(io.BytesIO(content)) as image:
        assert not is_cut_short(image, content)


def test_mask_in_a_jpeg_cut_short_is_refused(tmp_path: Path) -> None:
    content = encoded(photograph("L"), "JPEG")
    (tmp_path / "mask.jpg").write_bytes(content[: len(content) // 2] + END_MARKER)
    with pytest.raises(UnreadableImageError, match=r"mask\.jpg' \(its pixels end early"):
        load_mask(tmp_path, LabelledImage("image.png", "bad", 1, (Mask("mask.jpg"),)))


@pytest.mark.filterwarnings("ignore::UserWarning")  # as `storage.images.decode` has it, which pytest undoes
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_tiff_without_its_directory_is_told_as_cut_short(compression: str) -> None:
    content = encoded(photograph(), "TIFF", compression=compression)
    directory = struct.unpack("<I", content[4:8])[0]
    for stop in (directory, len(content) // 3):
        with pytest.raises(UnreadableImageError, match="it begins like TIFF, but is damaged, cut short or of a kind"):
            read_header(content[: min(stop, directory)])


def test_tiff_of_five_channels_is_told_as_a_kind_that_is_not_supported() -> None:
    pixels = bytes(8 * 8 * 5)
    tags = [(256, 3, 8), (257, 3, 8), (258, 3, 8), (259, 3, 1), (262, 3, 5), (273, 4, 8), (277, 3, 5), (278, 3, 8)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in [*tags, (279, 4, len(pixels))])
    content = b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + struct.pack("<H", 9) + entries + bytes(4)
    with pytest.raises(UnreadableImageError, match=r"of a kind that is not supported \(unknown pixel mode\)"):
        read_header(content)


def test_nothing_is_written_to_stderr_while_damaged_files_are_refused() -> None:
    """Outside pytest, where warnings are printed and libraries in C write to the process's own stderr."""
    contents = []
    for compression in COMPRESSIONS:
        whole = encoded(photograph(), "TIFF", compression=compression)
        middle = len(whole) // 2
        contents += [whole[:-90], whole[:middle], whole[:middle] + bytes(300) + whole[middle + 300 :]]
    program = (
        "import sys, ast\n"
        "from storage.images.decode import decode\n"
        "from storage.errors import UnreadableImageError\n"
        "refused = 0\n"
        "for content in ast.literal_eval(sys.stdin.read()):\n"
        "    try:\n"
        "        decode(content)\n"
        "    except UnreadableImageError:\n"
        "        refused += 1\n"
        "print(refused)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=repr(contents).encode(), cwd=ROOT, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert int(done.stdout) >= len(contents) - 1, "a JPEG inside a TIFF may hide what was damaged"
