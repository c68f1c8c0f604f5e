"""Files for lots, and what a listing says of them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from storage.images.listing import list_folder
from storage.images.lots import ListedImage


def picture(seed: int, kind: str = "PNG", size: tuple[int, int] = (7, 5)) -> bytes:
    """An image file of (width, height), with other pixels for every seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def listed(folder: Path, **options: bool) -> dict[str, ListedImage]:
    return {image.path: image for image in list_folder(str(folder), **options)}


def status_of(folder: Path, path: str) -> tuple[str, str]:
    """Status and reason of one file, the rest of the folder being as it was."""
    images = listed(folder)
    assert images["a.png"].status == "ok"
    return images[path].status, images[path].reason
