"""Pictures of the most anomalous parts: the photograph beside itself under its anomaly map, all on one colour scale."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from musc.maps import anomaly_maps

TILE = 200
"""Pixels of a photograph's longer side."""
GAP = 8
CAPTION = 20
COLUMNS = 2
MOST_BYTES = 300_000
"""Of an encoded picture: as text it is a third larger, and the Prefect UI renders up to about 500 kB."""
QUALITIES = (85, 70, 50, 30, 15)
STRONGEST = 0.75
"""Opacity of the highest score; the lowest is clear, so that normal parts look as they are."""

INK, PAPER, FRAME = (30, 30, 30), (255, 255, 255), (200, 200, 200)
ANCHORS = np.array([[0, 0, 60], [60, 20, 160], [180, 40, 140], [240, 100, 60], [255, 190, 40], [255, 255, 190]])
"""Colours from the lowest score to the highest, growing in lightness; read by the colour-blind too."""


@dataclass(frozen=True)
class Part:
    """One part to be shown."""

    caption: str
    photograph: Image.Image
    """Upright RGB, any size."""
    patch_scores: np.ndarray
    """Float32 (rows, columns)."""


@dataclass(frozen=True)
class Scale:
    """The scores that the first and the last colour stand for."""

    low: float
    high: float

    def fractions(self, scores: np.ndarray) -> np.ndarray:
        """Where scores lie between low and high, in [0, 1]."""
        return np.clip((scores - self.low) / max(self.high - self.low, 1e-12), 0, 1)


def colours(fractions: np.ndarray) -> np.ndarray:
    """Float64 (…, 3) in [0, 255] of fractions in [0, 1]."""
    places = np.linspace(0, 1, len(ANCHORS))
    return np.stack([np.interp(fractions, places, ANCHORS[:, channel]) for channel in range(3)], axis=-1)


def overlaid(photograph: Image.Image, patch_scores: np.ndarray, scale: Scale) -> Image.Image:
    """A photograph under its anomaly map, the clearer the lower the score."""
    rows, columns = patch_scores.shape
    flat = torch.from_numpy(patch_scores.astype(np.float32)).reshape(1, -1)
    scores = anomaly_maps(flat, (rows, columns), (photograph.height, photograph.width))[0].numpy()
    fractions = scale.fractions(scores)
    opacity = STRONGEST * fractions[..., None]
    pixels = (1 - opacity) * np.asarray(photograph, dtype=np.float64) + opacity * colours(fractions)
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def sheet(parts: Sequence[Part], scale: Scale) -> Image.Image:
    """All parts on one sheet: photograph and overlay side by side, captions above, the colour scale below."""
    fitted = [fitting(part.photograph) for part in parts]
    columns = min(COLUMNS, len(parts))
    width = max(picture.width for picture in fitted)
    height = max(picture.height for picture in fitted)
    cell = (2 * width + 2 * GAP, height + CAPTION + GAP)
    grid_height = -(-len(parts) // columns) * cell[1] + GAP
    page = Image.new("RGB", (columns * cell[0] + GAP, grid_height + 2 * CAPTION), PAPER)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(13)
    for position, (part, picture) in enumerate(zip(parts, fitted, strict=True)):
        left, top = GAP + position % columns * cell[0], GAP + position // columns * cell[1]
        draw.text((left, top), part.caption, INK, font)
        page.paste(picture, (left, top + CAPTION))
        page.paste(overlaid(picture, part.patch_scores, scale), (left + picture.width + 2, top + CAPTION))
    draw_scale(page, draw, scale, grid_height, font)
    return page


def fitting(photograph: Image.Image) -> Image.Image:
    """A photograph scaled so that its longer side is a tile's."""
    factor = TILE / max(photograph.size)
    width, height = (max(1, round(side * factor)) for side in photograph.size)
    return photograph.resize((width, height), Image.Resampling.LANCZOS)


def draw_scale(page: Image.Image, draw: ImageDraw.ImageDraw, scale: Scale, top: int, font: Any) -> None:
    """The colours from low to high with the scores they stand for."""
    width = min(2 * TILE, page.width - 2 * GAP)
    bar = np.broadcast_to(colours(np.linspace(0, 1, width)), (CAPTION - 6, width, 3))
    page.paste(Image.fromarray(np.rint(bar).astype(np.uint8)), (GAP, top))
    draw.rectangle((GAP, top, GAP + width - 1, top + CAPTION - 7), outline=FRAME)
    draw.text((GAP, top + CAPTION - 4), f"{scale.low:.3f}", INK, font)
    draw.text((GAP + width, top + CAPTION - 4), f"{scale.high:.3f}", INK, font, anchor="ra")
    draw.text((GAP + width // 2, top + CAPTION - 4), "patch score", INK, font, anchor="ma")


def data_url(picture: Image.Image) -> str:
    """A picture as a `data:` URL, as good as fits `MOST_BYTES`; the only kind of local picture the UI shows."""
    content = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=quality)
        content = buffer.getvalue()
        if len(content) <= MOST_BYTES:
            break
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
