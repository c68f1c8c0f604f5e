"""Pictures of anomaly maps: heatmap overlays, outlines, boxes and thumbnails, and how they travel inside a page.

The colours are those of `inferno` (matplotlib): lightness rises evenly with the value, so the order of colours is seen
with any kind of colour vision and in print. Outlines are white on black and therefore visible on any surface.
"""

import base64
import io
from collections.abc import Iterable
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

INFERNO = (
    *("#000004", "#1b0c42", "#4b0c6b", "#781c6d", "#a52c60"),
    *("#cf4446", "#ed6925", "#fb9a06", "#f7d03c", "#fcffa4"),
)
"""Ten evenly spaced colours of the map; those between are interpolated."""
MIN_OPACITY, MAX_OPACITY = 0.25, 0.75
"""Of the heatmap over a photograph, at the low and the high end of the scale."""
SCALE_QUANTILES = (0.5, 0.999)
"""Parts of a lot's patch scores below the low and the high end of its colour scale."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first outside."""
ColourScale = tuple[float, float]
"""The values at the low and the high end of a colour scale."""


def colour_scale(patch_scores: np.ndarray) -> ColourScale:
    """The one colour scale of a lot: from its median patch to nearly its worst, so that a few extremes do not dim it.

    Args:
        patch_scores: float (N, rows, columns) of the whole lot, NaN outside of a region of interest.

    Returns:
        The values at the low and the high end, low < high.
    """
    low, high = np.nanquantile(patch_scores, SCALE_QUANTILES)
    return float(low), float(max(high, low + 1e-6))


def apply_colours(values: np.ndarray, limits: ColourScale) -> np.ndarray:
    """The colours of values on a scale, uint8 (…, 3); values beyond an end get that end's colour."""
    stops = np.array([[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for colour in INFERNO], dtype=float)
    positions = _on_scale(values, limits) * (len(stops) - 1)
    channels = [np.interp(positions, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def overlay(image: Image.Image, anomaly_map: np.ndarray, low: float, high: float) -> Image.Image:
    """Lay an anomaly map over a photograph: the worse, the more opaque; nothing where it is 0, outside of a region.

    Args:
        image: the photograph, of any size and mode.
        anomaly_map: float (rows, columns), resized bilinearly where it has another size than the photograph.
        low: value at the low end of the colour scale, the same for all images that are looked at together.
        high: value at its high end.

    Returns:
        An RGB picture of the photograph's size.
    """
    values = fit_picture(anomaly_map, image.size)
    opacity = MIN_OPACITY + (MAX_OPACITY - MIN_OPACITY) * _on_scale(values, (low, high))[..., None]
    opacity = np.where(values[..., None] > 0, opacity, 0.0)
    mixed = np.asarray(image.convert("RGB")) * (1 - opacity) + apply_colours(values, (low, high)) * opacity
    return Image.fromarray(mixed.round().astype(np.uint8))


def fit_picture(anomaly_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An anomaly map as float32 (H, W) for a picture of (width, height)."""
    values = np.asarray(anomaly_map, dtype=np.float32)
    if values.shape == (size[1], size[0]):
        return values
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))


def draw_outlines(picture: Image.Image, mask: np.ndarray, width: int = 2) -> Image.Image:
    """Draw the outline of a mask (H, W) of the picture's size: a white line `width` pixels wide within a black one."""
    inside = np.asarray(mask, dtype=bool)
    pixels = np.asarray(picture.convert("RGB")).copy()
    if inside.any():
        from scipy import ndimage  # takes half a second to load

        edge = ndimage.binary_dilation(inside, iterations=width) & ~inside
        pixels[ndimage.binary_dilation(edge) & ~edge] = 0
        pixels[edge] = 255
    return Image.fromarray(pixels)


def draw_boxes(picture: Image.Image, boxes: Iterable[Box], width: int = 1) -> Image.Image:
    """Draw boxes, white lines `width` pixels wide between black ones."""
    copy = picture.convert("RGB")  # a copy, whatever the mode
    pen = ImageDraw.Draw(copy)
    for left, top, right, bottom in boxes:
        for margin, colour, line in ((width + 1, "black", width + 2), (width, "white", width)):
            corners = (left - margin, top - margin, right - 1 + margin, bottom - 1 + margin)
            pen.rectangle(corners, outline=colour, width=line)
    return copy


def within(picture: Image.Image, side: int) -> Image.Image:
    """The picture in RGB, made smaller where its longer side exceeds `side` pixels; its proportions are kept."""
    small = picture.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small


def encode_picture(picture: Image.Image, image_format: Literal["JPEG", "PNG"] = "JPEG", quality: int = 80) -> bytes:
    """The picture as the bytes of an image file; `quality` matters to JPEG only."""
    buffer = io.BytesIO()
    if image_format == "JPEG":
        picture.convert("RGB").save(buffer, "JPEG", quality=quality, optimize=True)
    else:
        picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def data_url(picture: Image.Image, image_format: Literal["JPEG", "PNG"] = "JPEG", quality: int = 80) -> str:
    """The picture as a `data:` URL, which a page or a Prefect artifact can show without any file."""
    content = base64.b64encode(encode_picture(picture, image_format, quality)).decode("ascii")
    return f"data:image/{image_format.lower()};base64,{content}"


def _on_scale(values: np.ndarray, limits: ColourScale) -> np.ndarray:
    """Values as fractions of a scale, in [0, 1]."""
    low, high = limits
    return np.clip((np.asarray(values, dtype=float) - low) / (high - low), 0.0, 1.0)
