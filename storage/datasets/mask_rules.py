"""Rules for reading mask files: modes, orientation, values, and which files are refused.

| mask | rule |
|---|---|
| grey, 1 bit, palette, colours | the brightest channel counts; 0 is the ground |
| floating point | any value above 0 counts; negative, infinite and undefined ones are refused |
| JPEG, JPEG 2000, WebP | values from 128 on count, as zeros are not exact |
| several frames or pages | refused |
| alpha that is the same everywhere | ignored |
| alpha that differs, one colour wherever something is visible | alpha is the mask, whatever the colour |
| alpha that differs, several colours | must mark the same pixels as the colours, else refused |
| with an EXIF orientation of its own | turned upright |
| without one, of an image that EXIF turns by a quarter | turned like the image if its sides are the stored ones |
| without one, of an image that EXIF turns otherwise, or of equal sides | refused: nothing tells whether it is upright |
| of other proportions than the image | refused |
| nothing marked though the image is defective, or no ground | refused |
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
from PIL import Image

from storage.datasets.records import LabelledImage
from storage.errors import DatasetLayoutError, UnreadableImageError
from storage.images.decode import Header
from storage.images.formats.orientation import QUARTER_TURNS, UPRIGHT, turn_upright

T = TypeVar("T")


def load_every(images: Iterable[LabelledImage], load: Callable[[LabelledImage], T]) -> list[T]:
    """Load the masks of every image; all problems are raised as one error.

    Raises:
        DatasetLayoutError: with a line for each image whose masks cannot be used.
    """
    loaded, problems = [], []
    for image in images:
        try:
            loaded.append(load(image))
        except (DatasetLayoutError, UnreadableImageError) as error:
            problems.append(str(error))
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise DatasetLayoutError(f"masks must fit their images, but {len(problems)} do not:{listed}")
    return loaded


def grey_of(image: Image.Image) -> Image.Image:
    """The values of a decoded mask as it is stored, of mode L.

    Wider integers are clipped at 255 rather than scaled, so that small values stay visible.

    Raises:
        UnreadableImageError: if colours and alpha mark different pixels, or a value is negative or no number.
    """
    if image.mode.startswith(("I", "F")):
        wide = np.asarray(image)
        if not np.isfinite(wide).all() or wide.min() < 0:
            raise UnreadableImageError("it holds negative or undefined values; save it with ground 0, defects 255")
        return Image.fromarray(np.ceil(wide).clip(0, 255).astype(np.uint8))
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return image.convert("L")
    values = np.asarray(image.convert("RGBA"))
    colour, alpha = values[..., :3].max(axis=-1), values[..., 3]
    if alpha.min() == alpha.max():
        return Image.fromarray(colour)
    if np.ptp(colour[alpha > 0]) == 0:
        return Image.fromarray(alpha)
    if ((colour > 0) != (alpha > 0)).any():
        raise UnreadableImageError(
            "its colours and its alpha channel mark different pixels; save it without alpha, ground 0, defects 255"
        )
    return Image.fromarray(colour)


def turned_like(mask: Image.Image, *, is_upright: bool, header: Header, path: str, image_path: str) -> Image.Image:
    """A mask as the image is seen upright.

    Args:
        is_upright: whether the mask's file says how it is turned.
        path: of the mask, for messages.

    Raises:
        DatasetLayoutError: if nothing tells how the mask is turned, or its proportions are not the image's.
    """
    upright = header.width, header.height
    stored = upright[::-1] if header.orientation in QUARTER_TURNS else upright
    if header.orientation != UPRIGHT and not is_upright:
        if _alike(upright, stored):
            raise DatasetLayoutError(
                f"mask {path} must say how it is turned, since EXIF turns {image_path} (orientation "
                f"{header.orientation}) and equal sides do not tell; save both upright, without that tag"
            )
        if _alike(mask.size, stored):
            return turn_upright(mask, header.orientation)
    if not _alike(mask.size, upright):
        raise DatasetLayoutError(
            f"mask {path} must have the proportions of {image_path}, {upright[0]} × {upright[1]} pixels seen upright, "
            f"got {mask.width} × {mask.height}; export it again"
        )
    return mask


def require_marked(mask: Image.Image, path: str, image_path: str) -> None:
    """Refuse a mask of a defective image that marks nothing, or has no ground.

    Raises:
        DatasetLayoutError: naming both.
    """
    values = np.asarray(mask)
    low, high = int(values.min()), int(values.max())
    if high == 0:
        raise DatasetLayoutError(
            f"mask {path} must mark the defect of {image_path}, got no pixel above 0 (in a JPEG or WebP "
            "from 128 on); draw it, or move the image to "
            "the normal ones"
        )
    if 0 < low < high:
        raise DatasetLayoutError(
            f"mask {path} of {image_path} must have a ground of 0, got values from {low} to {high}; export it again"
        )


def require_full_values(mask: Image.Image, path: str, image_path: str, dataset: str) -> None:
    """Refuse a mask without the value 255 where, as in the published numbers, no other value counts.

    Raises:
        DatasetLayoutError: naming both.
    """
    high = int(np.asarray(mask).max())
    if high < 255:
        raise DatasetLayoutError(
            f"mask {path} of {image_path} must mark defects with 255, as no other value counts in {dataset}, got "
            f"values up to {high}; save it with 255, or benchmark the dataset as folder, where any value above 0 counts"
        )


def _alike(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two sizes have the same proportions, to a pixel of the smaller one."""
    return abs(first[0] * second[1] - first[1] * second[0]) < max(*first, *second)
