"""Samples of a TIFF that Pillow does not decode as the file declares: their depth, their range, which end is white.

| declared | what happens |
|---|---|
| 9 to 16 bits, packed or in words of 16 bits | scaled by the full range of so many bits |
| a range (SMinSampleValue, SMaxSampleValue) | scaled by it, signed integers and floating point too |
| a largest value of whole bits, such as 4095 (MaxSampleValue) | scaled by it; other values tell of the picture only |
| the smallest value is white (PhotometricInterpretation 0) | inverted |
| each colour by itself (PlanarConfiguration 2) | put together |
| signed integers or floating point without a range, more than 16 bits | refused: no range is known |

A declared range counts for samples of more than 8 bits: a picture of 8 bits is seen as it is.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from storage.errors import UnreadableImageError
from storage.images.formats.tiff_directory import Directory, Tag
from storage.images.formats.tiff_segments import UNCOMPRESSED, UNPACKED, Segment, layout_of, read_segments

KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
"""numpy's letters for SampleFormat; what is not defined is unsigned."""
WHITE_IS_ZERO = 0
"""The value of PhotometricInterpretation, as of a file that has none."""
COLOURS = {0: 1, 1: 1, 2: 3}
"""Channels that are seen, by PhotometricInterpretation; others are alpha, or not seen at all."""
DIFFERENCES, FLOAT_DIFFERENCES = 2, 3
"""Values of Predictor."""
MOST_BITS = 16
"""Of unsigned integers whose full range is taken for their range."""
WHOLE_BITS = frozenset(2**bits - 1 for bits in range(8, MOST_BITS))
WORDS = {"u": (8, 16, 32), "i": (8, 16, 32), "f": (16, 32, 64)}
"""Bits of samples that numpy reads as they are."""

UNKNOWN_FLOAT = "it holds floating point pixels of unknown range; store it with 8 or 16 bits"
UNKNOWN_INTEGERS = "it holds 32-bit or signed pixels of unknown range; store it with 8 or 16 bits"


@dataclass(frozen=True)
class Samples:
    """How the pixels of a page are stored."""

    page: Directory
    kind: str
    """`u`, `i` or `f`, as numpy has it."""
    bits: int
    """Each sample takes in a row."""
    low: float
    """The value that becomes 0, or 255 where white is zero."""
    high: float
    remark: str
    """The range, where the file declares one; else empty."""

    @property
    def colours(self) -> int:
        """1 or 3."""
        return COLOURS[self.page.whole(Tag.PHOTOMETRIC_INTERPRETATION, WHITE_IS_ZERO)]

    @property
    def is_inverted(self) -> bool:
        """Whether the smallest value is white."""
        return self.page.whole(Tag.PHOTOMETRIC_INTERPRETATION, WHITE_IS_ZERO) == WHITE_IS_ZERO


def own_samples(page: Directory) -> Samples | None:
    """How a page is to be decoded here; None if Pillow decodes it as it should be, or has to say why it cannot.

    Raises:
        UnreadableImageError: if it holds numbers whose range is not known.
    """
    depths, kinds = set(page.numbers(Tag.BITS_PER_SAMPLE)) or {1.0}, set(page.numbers(Tag.SAMPLE_FORMAT)) or {1.0}
    depth, kind = int(max(depths)), KINDS.get(int(max(kinds)))
    photometric = page.whole(Tag.PHOTOMETRIC_INTERPRETATION, WHITE_IS_ZERO)
    if kind is None or photometric not in COLOURS or (kind == "u" and depth <= 8):
        return None
    value_range = _range(page, kind, depth)
    if value_range is None:
        raise UnreadableImageError(UNKNOWN_FLOAT if kind == "f" else UNKNOWN_INTEGERS)
    readable = depth in WORDS[kind] or (kind == "u" and depth < MOST_BITS)
    alike = len(depths) == len(kinds) == 1 and page.whole(Tag.SAMPLES_PER_PIXEL, 1) >= COLOURS[photometric]
    if not (readable and alike and page.whole(Tag.COMPRESSION, UNCOMPRESSED) in UNPACKED):
        return None
    low, high, remark = value_range
    return Samples(page, kind, _stored_bits(page, depth), low, high, remark)


def decode_samples(samples: Samples) -> Image.Image:
    """The pixels of a page as 8 bits, not yet turned upright; of mode L or RGB.

    Raises:
        ValueError: if pixels are missing, damaged, or no numbers.
    """
    width, height = samples.page.size
    pixels = np.zeros((height, width, samples.colours), np.uint8)
    for segment in read_segments(samples.page, samples.bits):
        down, across = slice(segment.y, segment.y + len(segment.rows)), slice(segment.x, segment.x + segment.width)
        part = pixels[down, across, segment.plane : segment.plane + segment.channels]
        _, columns, channels = part.shape  # nothing of a tile beyond the right edge, and of alpha
        if channels:
            part[...] = _as_8_bits(_values(segment, samples)[:, :columns, :channels], samples)
    return Image.fromarray(pixels[..., 0] if samples.colours == 1 else pixels)


def _range(page: Directory, kind: str, depth: int) -> tuple[float, float, str] | None:
    """Lowest and highest value of samples and, where the file declares them, a remark; None if they are not known."""
    full = (0.0, 2.0**depth - 1) if kind == "u" and depth <= MOST_BITS else None
    lows, highs = page.numbers(Tag.S_MIN_SAMPLE_VALUE), page.numbers(Tag.S_MAX_SAMPLE_VALUE)
    low = min(lows) if lows else full[0] if full else None
    high = max(highs) if highs else full[1] if full else None
    most = max(page.numbers(Tag.MAX_SAMPLE_VALUE), default=0)
    if full and not highs and most in WHOLE_BITS:
        high = most
    if low is None or high is None or not low < high:  # NaN is not below anything
        return (*full, "") if full else None
    remark = "" if (low, high) == full else f"scaled from {low:g} to {high:g}, the range it declares"
    return low, high, remark


def _stored_bits(page: Directory, depth: int) -> int:
    """Of a sample in a row: some programs declare 12 bits and write words of 16, which the size of the file tells."""
    if depth >= MOST_BITS or depth == 8 or page.whole(Tag.COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED:
        return depth
    width, height = page.size
    words = 2 * width * height * page.whole(Tag.SAMPLES_PER_PIXEL, 1)
    return MOST_BITS if sum(layout_of(page).sizes) >= words else depth


def _values(segment: Segment, samples: Samples) -> np.ndarray:
    """The samples of a strip or tile: (rows, pixels, channels), as numbers of their own kind."""
    count = segment.width * segment.channels
    if samples.bits in WORDS[samples.kind]:
        size = samples.bits // 8
        predictor = samples.page.whole(Tag.PREDICTOR, 1)
        rows = segment.rows[:, : count * size]
        if predictor == FLOAT_DIFFERENCES:
            rows = _without_float_differences(rows, segment.channels, size)
        dtype = np.dtype(f"{'>' if predictor == FLOAT_DIFFERENCES else samples.page.form.order}{samples.kind}{size}")
        values = np.ascontiguousarray(rows).view(dtype).reshape(len(rows), segment.width, segment.channels)
        if predictor == DIFFERENCES:
            native = values.astype(dtype.newbyteorder("="))
            return np.cumsum(native, axis=1, dtype=native.dtype)
        return values
    return _packed(segment.rows, samples.bits, count).reshape(-1, segment.width, segment.channels)


def _packed(rows: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Unsigned integers of up to 16 bits that follow each other without a gap: uint16 (rows, count).

    Each lies in three bytes, of which the first holds its highest bit.
    """
    first_bits = np.arange(count) * bits
    first, shift = first_bits // 8, (24 - bits - first_bits % 8).astype(np.uint32)
    filled = np.pad(rows, ((0, 0), (0, 2)))
    values = np.empty((len(rows), count), np.uint16)
    for row, out in zip(filled.astype(np.uint32), values, strict=True):
        out[:] = ((row[first] << 16 | row[first + 1] << 8 | row[first + 2]) >> shift) & (2**bits - 1)
    return values


def _without_float_differences(rows: np.ndarray, channels: int, size: int) -> np.ndarray:
    """Rows of big-endian numbers from rows of differences, the highest bytes of all numbers first (predictor 3)."""
    count = rows.shape[1] // channels
    sums = np.cumsum(rows.reshape(len(rows), count, channels), axis=1, dtype=np.uint8).reshape(rows.shape)
    return sums.reshape(len(rows), size, -1).swapaxes(1, 2).reshape(rows.shape)


def _as_8_bits(values: np.ndarray, samples: Samples) -> np.ndarray:
    """Values scaled by their range to uint8, rounded.

    Raises:
        ValueError: if there are numbers that are none.
    """
    span = samples.high - samples.low
    if samples.kind == "u" and samples.bits <= MOST_BITS:
        levels = (np.arange(2**samples.bits) - samples.low) / span
        scaled = np.rint(255 * levels.clip(0, 1)).astype(np.uint8)[values]
    else:
        if samples.kind == "f" and np.isnan(values).any():
            raise ValueError("pixels that are no numbers")
        scaled = np.rint(255 * ((values.astype(np.float64) - samples.low) / span).clip(0, 1)).astype(np.uint8)
    return 255 - scaled if samples.is_inverted else scaled
