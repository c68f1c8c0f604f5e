"""One sheet of the most anomalous parts: each photograph beside itself under its anomaly map, on one colour scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from musc.maps import maps_of_run
from reports.page.heatmaps import ColourScale, apply_colours, data_url, encode_picture, overlay

TILE = 160
"""Pixels of a photograph's longer side."""
GAP = 8
CAPTION = 20
COLUMNS = 3
MAX_BYTES = 300_000
"""Of an encoded picture: as text it is a third larger, and the Prefect UI renders up to about 500 kB."""
QUALITIES = (85, 70, 50, 30, 15)

INK, PAPER, FRAME = (30, 30, 30), (255, 255, 255), (200, 200, 200)


@dataclass(frozen=True)
class SheetPart:
    """One part to be shown."""

    caption: str
    photograph: Image.Image
    """Upright RGB, any size."""
    patch_scores: np.ndarray
    """Float32 (rows, columns)."""


def sheet(parts: Sequence[SheetPart], limits: ColourScale) -> Image.Image:
    """All parts on one sheet: photograph and overlay side by side, captions above, the colour scale below."""
    fitted = [fitting(item.photograph) for item in parts]
    columns = min(COLUMNS, len(parts))
    width = max(picture.width for picture in fitted)
    height = max(picture.height for picture in fitted)
    cell = (2 * width + 2 * GAP, height + CAPTION + GAP)
    grid_height = -(-len(parts) // columns) * cell[1] + GAP
    page = Image.new("RGB", (columns * cell[0] + GAP, grid_height + 2 * CAPTION), PAPER)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(13)
    for position, (item, picture) in enumerate(zip(parts, fitted, strict=True)):
        left, top = GAP + position % columns * cell[0], GAP + position // columns * cell[1]
        draw.text((left, top), item.caption, INK, font)
        page.paste(picture, (left, top + CAPTION))
        heat = overlay(picture, maps_of_run(item.patch_scores[None], picture.size[::-1])[0], *limits)
        page.paste(heat, (left + picture.width + 2, top + CAPTION))
    draw_scale(page, draw, limits, grid_height, font)
    return page


def fitting(photograph: Image.Image) -> Image.Image:
    """A photograph scaled so that its longer side is a tile's."""
    factor = TILE / max(photograph.size)
    width, height = (max(1, round(side * factor)) for side in photograph.size)
    return photograph.resize((width, height), Image.Resampling.LANCZOS)


def draw_scale(page: Image.Image, draw: ImageDraw.ImageDraw, limits: ColourScale, top: int, font: Any) -> None:
    """The colours from low to high with the scores they stand for."""
    width = min(2 * TILE, page.width - 2 * GAP)
    bar = np.broadcast_to(apply_colours(np.linspace(*limits, width), limits), (CAPTION - 6, width, 3))
    page.paste(Image.fromarray(bar), (GAP, top))
    draw.rectangle((GAP, top, GAP + width - 1, top + CAPTION - 7), outline=FRAME)
    for x, text, anchor in ((0, f"{limits[0]:.3f}", "la"), (width, f"{limits[1]:.3f}", "ra")):
        draw.text((GAP + x, top + CAPTION - 4), text, INK, font, anchor=anchor)
    draw.text((GAP + width // 2, top + CAPTION - 4), "patch score", INK, font, anchor="ma")


def bounded_url(picture: Image.Image) -> str:
    """A picture as a `data:` URL, as good as fits `MAX_BYTES`; the only kind of local picture the UI shows."""
    fitting_qualities = (quality for quality in QUALITIES if len(encode_picture(picture, quality=quality)) <= MAX_BYTES)
    return data_url(picture, quality=next(fitting_qualities, QUALITIES[-1]))
