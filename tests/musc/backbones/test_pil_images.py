"""Images of a program are made upright RGB as the pipeline makes those of files."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from musc.backbones.pil_images import upright_rgb
from storage.images.decode import decode
from storage.images.formats.orientation import EXIF_ORIENTATION
from tests.storage.encoding import BLUE, GREEN, RED, colours, encoded, greys, palette_image

SIXTEEN_BIT = np.array([[0, 128, 129, 257, 32896, 65406, 65407, 65535]], dtype=np.uint16)
EIGHT_BIT = np.array([[0, 0, 1, 1, 128, 254, 255, 255]], dtype=np.uint8)
"""The nearest of 256 evenly spaced levels: v / 257, rounded."""


@pytest.mark.parametrize("stored", [SIXTEEN_BIT, SIXTEEN_BIT.astype(np.int32)], ids=["I;16", "I"])
def test_16_bits_are_scaled_by_the_full_range(stored: np.ndarray) -> None:
    result = upright_rgb(Image.fromarray(stored))
    assert result.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(result), np.repeat(EIGHT_BIT[..., None], 3, axis=2))


FILES: dict[str, bytes] = {
    "rgb": encoded(Image.fromarray(colours()), "PNG"),
    "grey": encoded(Image.fromarray(greys()), "PNG"),
    "bits": encoded(Image.fromarray(greys() > 127), "PNG"),
    "palette": encoded(palette_image(), "PNG", transparency=b"\x00\x80\xff"),
    "alpha": encoded(Image.new("RGBA", (2, 1), (200, 100, 50, 0)), "PNG"),
    "cmyk": encoded(Image.new("CMYK", (16, 16), (0, 255, 128, 9)), "JPEG"),
    "big_endian": encoded(Image.frombytes("I;16B", (8, 1), SIXTEEN_BIT.astype(">u2").tobytes()), "TIFF"),
    "frames": encoded(Image.new("RGB", (4, 3), RED), "TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]),
}


@pytest.mark.parametrize("name", FILES)
def test_opened_file_is_as_the_pipeline_decodes_it(name: str) -> None:
    with Image.open(io.BytesIO(FILES[name])) as image:
        np.testing.assert_array_equal(np.asarray(upright_rgb(image)), np.asarray(decode(FILES[name])))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_opened_file_is_turned_as_the_pipeline_turns_it(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    content = encoded(Image.fromarray(colours()), kind, exif=exif)
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(upright_rgb(image)), np.asarray(decode(content)))


def test_given_image_is_left_as_it_is() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    image.info["transparency"] = 0
    upright_rgb(image)
    assert (image.mode, image.info) == ("P", {"transparency": 0})


def test_32_bit_file_is_refused_whatever_it_holds() -> None:
    content = encoded(Image.fromarray(np.array([[0, 255]], dtype=np.int32)), "TIFF")
    with (
        Image.open(io.BytesIO(content)) as image,
        pytest.raises(ValueError, match="got a 32-bit or signed TIFF; scale"),
    ):
        upright_rgb(image)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.array([[0.0, 0.5]], dtype=np.float32),
            "image must have 8 or 16 bits .* got mode F of unknown range; scale",
        ),
        (
            np.array([[0, 255]], dtype=np.int32),
            "image must have 8 or 16 bits per channel, got 32-bit integers up to 255",
        ),
        (np.array([[0, 65536]], dtype=np.int32), "image must have values of 0 to 65535, got mode I with 0 to 65536;"),
        (np.array([[-1, 900]], dtype=np.int32), "image must have values of 0 to 65535, got mode I with -1 to 900;"),
    ],
)
def test_unknown_range_is_refused(values: np.ndarray[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        upright_rgb(Image.fromarray(values))
