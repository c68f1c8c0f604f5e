"""Samples of TIFF files as they are declared, against plain rules; every file is written by hand."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from storage.errors import UnreadableImageError
from storage.images.decode import decode, read_header
from tests.storage.images.formats.tiff_files import Written, packed, picture, single

HEIGHT, WIDTH = 6, 11
S_MIN, S_MAX, MAX_VALUE, FORMAT, PLANAR, PREDICTOR, FILL_ORDER = 340, 341, 281, 339, 284, 317, 266


def greys(bits: int, channels: int = 0) -> np.ndarray:
    """Every level of so many bits is as likely; the first two are the darkest and the brightest."""
    shape = (HEIGHT, WIDTH, channels) if channels else (HEIGHT, WIDTH)
    values = np.random.default_rng(bits).integers(0, 2**bits, shape, dtype=np.uint16)
    values[0, :2] = np.array([0, 2**bits - 1]).reshape(-1, *[1] * (values.ndim - 2))
    return values


def scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """To 0 … 255, rounded, in three equal channels where there is one."""
    levels = np.rint((values.astype(np.float64) - low).clip(0, high - low) * 255 / (high - low)).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2) if levels.ndim == 2 else levels[..., :3]


def seen(content: bytes) -> np.ndarray:
    return np.asarray(decode(content))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("channels", [0, 3])
@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_samples_are_scaled_by_the_bits_they_have(bits: int, channels: int, order: str) -> None:
    values = greys(bits, channels)
    np.testing.assert_array_equal(seen(single(values, bits, order)), scaled(values, 0, 2**bits - 1))


@pytest.mark.parametrize("bits", [12, 16])
def test_white_is_zero_is_inverted(bits: int) -> None:
    values = greys(bits)
    expected = 255 - scaled(values, 0, 2**bits - 1)
    np.testing.assert_array_equal(seen(single(values, bits, photometric=0)), expected)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_words_of_16_bits_that_declare_fewer_are_read_as_words(bits: int) -> None:
    values, written = greys(bits), Written()
    written.page(picture(written, values.tobytes(), (WIDTH, HEIGHT), bits))
    np.testing.assert_array_equal(seen(bytes(written.content)), scaled(values, 0, 2**bits - 1))


@pytest.mark.parametrize("tag", [S_MAX, MAX_VALUE])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_largest_value_of_16_bits_is_the_range(bits: int, tag: int) -> None:
    values = greys(bits)
    content = single(values, 16, more={tag: (3, 2**bits - 1)})
    np.testing.assert_array_equal(seen(content), scaled(values, 0, 2**bits - 1))
    assert read_header(content).remark == f"scaled from 0 to {2**bits - 1}, the range it declares"


@pytest.mark.parametrize("channels", [3, 4])
def test_largest_value_of_colours_is_the_range(channels: int) -> None:
    values = greys(12, channels)
    content = single(values, 16, more={S_MAX: (3, [4095] * channels)})
    np.testing.assert_array_equal(seen(content), scaled(values, 0, 4095))


def test_largest_value_of_the_picture_alone_changes_nothing() -> None:
    """MaxSampleValue may be that of one picture; it would stretch each picture of a lot in its own way."""
    values = greys(11)
    content = single(values, 16, more={MAX_VALUE: (3, int(values.max()) - 1)})
    np.testing.assert_array_equal(seen(content), scaled(values, 0, 65535))
    assert not read_header(content).remark


def test_declared_range_of_8_bits_changes_nothing() -> None:
    values = greys(8).astype(np.uint8)
    np.testing.assert_array_equal(seen(single(values, 8, more={S_MAX: (3, 200)})), scaled(values, 0, 255))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("dtype", "code", "kind", "low", "high"),
    [("f4", 3, 11, 0.0, 1.0), ("f4", 3, 11, -2.5, 4.5), ("f8", 3, 12, 0.0, 1.0), ("f2", 3, 11, 0.0, 1.0)],
)
def test_floating_point_of_declared_range_is_scaled(
    dtype: str, code: int, kind: int, low: float, high: float, order: str
) -> None:
    values = np.random.default_rng(3).uniform(low, high, (HEIGHT, WIDTH)).astype(dtype)
    content = single(
        values, values.itemsize * 8, order, more={FORMAT: (3, code), S_MIN: (kind, low), S_MAX: (kind, high)}
    )
    np.testing.assert_array_equal(seen(content), scaled(values, low, high))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "u4"])
def test_integers_of_declared_range_are_scaled(dtype: str) -> None:
    low, high = (0, 90) if dtype == "u4" else (-100, 90)
    values = np.random.default_rng(3).integers(low, high + 1, (HEIGHT, WIDTH)).astype(dtype)
    tags = {FORMAT: (3, 1 if dtype == "u4" else 2), S_MIN: (11, low), S_MAX: (11, high)}
    np.testing.assert_array_equal(
        seen(single(values, values.itemsize * 8, more=tags)),
        scaled(values, low, high),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("reading", [read_header, decode])
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "u4", "f2", "f4", "f8"])
def test_other_numbers_without_a_range_are_refused(dtype: str, reading: object) -> None:
    values = np.ones((HEIGHT, WIDTH), dtype)
    content = single(values, values.itemsize * 8, more={FORMAT: (3, {"u": 1, "i": 2, "f": 3}[dtype[0]])})
    with pytest.raises(UnreadableImageError, match="pixels of unknown range; store it with 8 or 16 bits"):
        reading(content)  # type: ignore[operator]


@pytest.mark.parametrize("limits", [(0.0, 0.0), (1.0, 0.0), (0.0, float("nan"))])
def test_range_that_is_none_is_not_known(limits: tuple[float, float]) -> None:
    tags = {FORMAT: (3, 3), S_MIN: (11, limits[0]), S_MAX: (11, limits[1])}
    with pytest.raises(UnreadableImageError, match="unknown range"):
        decode(single(np.ones((HEIGHT, WIDTH), "f4"), 32, more=tags))  # type: ignore[arg-type]


def test_pixels_that_are_no_numbers_are_refused() -> None:
    values = np.full((HEIGHT, WIDTH), np.nan, "f4")
    with pytest.raises(UnreadableImageError, match="pixels that are no numbers"):
        decode(single(values, 32, more={FORMAT: (3, 3), S_MIN: (11, 0.0), S_MAX: (11, 1.0)}))


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_separate_colours_are_put_together(bits: int) -> None:
    values, written = greys(bits, 3), Written()
    planes = [np.ascontiguousarray(values[..., colour]) for colour in range(3)]
    strips = [packed(plane, bits) if bits == 12 else plane.astype(f"u{bits // 8}").tobytes() for plane in planes]
    tags = picture(written, strips, (WIDTH, HEIGHT), bits, channels=3, photometric=2, more={PLANAR: (3, 2)})
    written.page({**tags, 278: (4, HEIGHT)})
    np.testing.assert_array_equal(seen(bytes(written.content)), scaled(values, 0, 2**bits - 1))


def test_grey_with_alpha_of_16_bits_is_seen_without_it() -> None:
    values = greys(16, 2)
    content = single(values, 16, photometric=1, more={338: (3, 2)})
    np.testing.assert_array_equal(seen(content), scaled(values[..., 0], 0, 65535))


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "raw"])
def test_compressed_16_bits_are_as_uncompressed_ones(compression: str) -> None:
    """Pillow writes them in strips."""
    values = np.random.default_rng(1).integers(0, 65536, (300, 200), dtype=np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "TIFF", compression=compression)
    np.testing.assert_array_equal(seen(buffer.getvalue()), scaled(values, 0, 65535))


def test_compressed_12_bits_are_read() -> None:
    values, written = greys(12), Written()
    strips = [zlib.compress(packed(values[start : start + 2], 12)) for start in range(0, HEIGHT, 2)]
    written.page(picture(written, strips, (WIDTH, HEIGHT), 12, more={259: (3, 8)}))
    np.testing.assert_array_equal(seen(bytes(written.content)), scaled(values, 0, 4095))


@pytest.mark.parametrize("channels", [0, 3])
def test_differences_of_16_bits_are_summed(channels: int) -> None:
    values, written = greys(16, channels), Written()
    differences = values.copy()
    differences[:, 1:] -= values[:, :-1]
    strip = zlib.compress(differences.tobytes())
    more = {259: (3, 8), PREDICTOR: (3, 2)}
    photometric = 2 if channels else 1
    tags = picture(
        written,
        strip,
        (WIDTH, HEIGHT),
        16,
        channels=channels or 1,
        photometric=photometric,
        more=more,  # type: ignore[arg-type]
    )
    written.page(tags)
    np.testing.assert_array_equal(seen(bytes(written.content)), scaled(values, 0, 65535))


def test_differences_of_floating_point_are_summed() -> None:
    """Pillow's libtiff reads the same file; its bytes are put together here by hand."""
    values = np.random.default_rng(3).random((HEIGHT, WIDTH)).astype("f4")
    planes = values.astype(">f4").view(np.uint8).reshape(HEIGHT, WIDTH, 4).swapaxes(1, 2).reshape(HEIGHT, -1)
    differences = planes.copy()
    differences[:, 1:] -= planes[:, :-1]
    written = Written()
    tags = {259: (3, 8), PREDICTOR: (3, 3), FORMAT: (3, 3), S_MIN: (11, 0.0), S_MAX: (11, 1.0)}
    strip = zlib.compress(differences.tobytes())
    written.page(picture(written, strip, (WIDTH, HEIGHT), 32, more=tags))  # type: ignore[arg-type]
    content = bytes(written.content)
    with Image.open(io.BytesIO(content)) as opened:
        np.testing.assert_array_equal(np.asarray(opened), values)
    np.testing.assert_array_equal(seen(content), scaled(values, 0, 1))


@pytest.mark.parametrize("bits", [12, 16])
def test_tiles_are_put_together_and_cropped(bits: int) -> None:
    values, written, side = np.pad(greys(bits), ((0, 20), (0, 20))), Written(), 16
    height, width = values.shape
    filled = np.pad(values, ((0, -height % side), (0, -width % side)))
    tiles = [
        np.ascontiguousarray(filled[top : top + side, left : left + side])
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]
    data = [packed(tile, 12) if bits == 12 else tile.tobytes() for tile in tiles]
    places = [written.put(tile) for tile in data]
    tags = picture(written, b"", (width, height), bits)
    tags = {tag: value for tag, value in tags.items() if tag not in (273, 278, 279)}
    sizes = [len(tile) for tile in data]
    written.page({**tags, 322: (4, side), 323: (4, side), 324: (4, places), 325: (4, sizes)})
    np.testing.assert_array_equal(seen(bytes(written.content)), scaled(values, 0, 2**bits - 1))


def test_reversed_bits_are_turned_round() -> None:
    values, written = greys(12), Written()
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in packed(values, 12))
    written.page(picture(written, turned, (WIDTH, HEIGHT), 12, more={FILL_ORDER: (3, 2)}))
    np.testing.assert_array_equal(seen(bytes(written.content)), scaled(values, 0, 4095))


def test_orientation_of_deep_samples_counts() -> None:
    values = greys(12)
    content = single(values, 12, more={274: (3, 6)})
    assert (read_header(content).width, read_header(content).height) == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(seen(content), np.rot90(scaled(values, 0, 4095), -1))


def test_missing_pixels_of_deep_samples_are_refused() -> None:
    written = Written()
    strip = zlib.compress(packed(greys(12)[:4], 12))
    written.page(picture(written, strip, (WIDTH, HEIGHT), 12, more={259: (3, 8)}))
    with pytest.raises(UnreadableImageError, match=r"holds 68 of 102 bytes.*cut short or damaged"):
        decode(bytes(written.content))


def test_too_large_deep_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    for reading in (read_header, decode):
        with pytest.raises(UnreadableImageError, match="it must have at most 40 pixels, got 11 × 6"):
            reading(single(greys(12), 12))


def test_big_tiff_is_read() -> None:
    values, written = greys(12), Written(is_big=True)
    written.page(picture(written, packed(values, 12), (WIDTH, HEIGHT), 12))
    np.testing.assert_array_equal(seen(bytes(written.content)), scaled(values, 0, 4095))
