"""Pictures of images: thumbnails, made once and kept in the store, photographs as browsers show them, and crops."""

import io
import logging
import threading
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from musc.region import MIN_WEIGHT
from reports.page.crops import CROP_SIDE, close_up
from reports.page.heatmaps import encode_picture, overlay, within
from storage.errors import UnreadableImageError
from storage.images.decode import decode, find_picture, open_picture
from storage.images.formats.orientation import UPRIGHT
from storage.store import Store
from web.lot import Lot

log = logging.getLogger(__name__)

FOLDER = "thumbnails"
"""`thumbnails/<run>/<image id>.jpg`; may be deleted at any time, and is made again when looked at."""
SIDE = 160
"""Pixels. A thumbnail holds two squares side by side: the photograph, and the same under its heatmap."""
BACKGROUND = (120, 124, 128)
FULL_QUALITY = 95
PASSED_ON = {"JPEG": "image/jpeg", "PNG": "image/png"}
"""Formats that browsers show as this project reads them, if their pixels are grey or RGB with 8 bits."""
DECODERS = threading.Semaphore(2)
"""Photographs decoded at once: each may take hundreds of megabytes."""


class Thumbnail(NamedTuple):
    """A small picture of an image as JPEG."""

    content: bytes
    is_final: bool
    """Whether it will always look so; False while the photograph is out of reach and a grey one stands for it."""


def thumbnail(lot: Lot, position: int) -> Thumbnail:
    """The thumbnail of an image, from the store or made now."""
    store, path = lot.run.store, thumbnail_path(lot, position)
    with suppress(FileNotFoundError):
        return Thumbnail(store.read(path), is_final=True)
    content = lot.content(position)
    with DECODERS:
        picture = photograph(content)
        encoded = encode_picture(side_by_side(picture, lot, position), quality=82)
    if picture is not None:
        keep(store, path, encoded)
    return Thumbnail(encoded, is_final=picture is not None)


def thumbnail_path(lot: Lot, position: int) -> str:
    """Where the thumbnail lies in the store."""
    return f"{FOLDER}/{lot.run.path.rpartition('/')[2]}/{lot.images[position].image_id}.jpg"


def keep(store: Store, path: str, content: bytes) -> None:
    """Store a thumbnail; in a store that cannot be written it is made anew each time."""
    try:
        store.write(path, content)
    except OSError as error:
        log.info("thumbnail %s was not kept: %s", path, error)


def photograph(content: bytes | None) -> Image.Image | None:
    """An image file as an upright RGB picture; None if it is gone or cannot be read."""
    if content is None:
        return None
    try:
        return decode(content)
    except UnreadableImageError:
        return None


def side_by_side(picture: Image.Image | None, lot: Lot, position: int) -> Image.Image:
    """The photograph and the same under its heatmap, each within a square; grey where the photograph is gone."""
    small = within(picture or blank(lot, position), SIDE)
    heat = overlay(small, enlarge(lot.patch_scores(position), small.size), *lot.limits)
    sheet = Image.new("RGB", (2 * SIDE, SIDE), BACKGROUND)
    left, top = (SIDE - small.width) // 2, (SIDE - small.height) // 2
    sheet.paste(small, (left, top))
    sheet.paste(heat, (SIDE + left, top))
    return sheet


def blank(lot: Lot, position: int) -> Image.Image:
    """A grey picture of an image's proportions."""
    width, height = lot.images[position].width, lot.images[position].height
    scale = SIDE / max(width, height, 1)
    return Image.new("RGB", (max(1, round(width * scale)), max(1, round(height * scale))), BACKGROUND)


def enlarge(patch_scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Patch scores as the anomaly map of a picture of (width, height): bilinear, corner patches at the corners."""
    rows, columns = patch_scores.shape
    ys, xs = np.linspace(0, rows - 1, size[1]), np.linspace(0, columns - 1, size[0])
    coordinates = np.meshgrid(ys, xs, indexing="ij")
    inside = (~np.isnan(patch_scores)).astype(np.float64)
    sums, weights = (
        ndimage.map_coordinates(values, coordinates, order=1, mode="nearest")
        for values in (np.nan_to_num(patch_scores).astype(np.float64), inside)
    )
    return np.where(weights >= MIN_WEIGHT, sums / np.maximum(weights, MIN_WEIGHT), 0).astype(np.float32)


def browser_image(content: bytes) -> tuple[bytes, str]:
    """An image file as browsers show it at full resolution, and its media type.

    Files whose pixels are used as they are go out untouched; others (16 bits, palettes, alpha, TIFF …) are decoded by
    the project's own rules first, so that people see what was scored.

    Raises:
        UnreadableImageError: if it cannot be decoded.
    """
    stored = find_picture(content)
    image = open_picture(stored.content)
    is_turned = image.format == "PNG" and stored.orientation != UPRIGHT
    is_plain = image.mode in ("L", "RGB") and "transparency" not in image.info and not is_turned
    if image.format in PASSED_ON and is_plain:
        return content, PASSED_ON[image.format]
    with DECODERS:
        buffer = io.BytesIO()
        decode(content).save(buffer, "JPEG", quality=FULL_QUALITY, subsampling=0)
    return buffer.getvalue(), "image/jpeg"


def crop(content: bytes, patch: int, grid: tuple[int, int]) -> bytes:
    """The surroundings of a patch as JPEG, the patch itself in a box.

    Raises:
        UnreadableImageError: if the file cannot be decoded.
    """
    with DECODERS:
        picture = decode(content)
    return encode_picture(close_up(picture, patch, grid, 2 * CROP_SIDE), quality=88)
