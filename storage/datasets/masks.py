"""Masks as arrays: whole, at network size the way the published numbers were made, and one channel per defect."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from storage.datasets.mask_rules import grey_of, require_full_values, require_marked, turned_like
from storage.datasets.records import LabelledImage
from storage.errors import DatasetLayoutError, UnreadableImageError
from storage.images.decode import find_picture, open_picture, read_header, require_whole
from storage.images.formats.orientation import UPRIGHT, turn_upright

REFERENCE_READS = frozenset({"mvtec_ad", "visa", "btad"})
"""Datasets that the reference implementation reads; in all others every grey value above 0 marks a defect."""

LOSSY = ("JPEG", "JPEG2000", "WEBP")
"""Formats of masks in which 0 and 255 may be stored as values near them."""


def load_mask(root: Path | str, image: LabelledImage) -> np.ndarray:
    """The pixels of an image that belong to any defect, at the mask's own size.

    Args:
        image: as listed; a normal image gives all False at the image's upright size.

    Returns:
        bool (H, W): any non-zero grey value is anomalous; in a mask of a lossy format, whose zeros are not exact, from
        128 on.

    Raises:
        ValueError: if the image is defective and its mask is missing.
        UnreadableImageError: if a mask, or the normal image, cannot be decoded.
        DatasetLayoutError: if the masks of the image differ in size.
    """
    return np.logical_or.reduce(load_channels(root, image), axis=0)


def load_mask_at(root: Path | str, image: LabelledImage, size: tuple[int, int], dataset: str) -> np.ndarray:
    """The mask at network size, as the reference implementation makes it.

    The grey mask is resized bilinearly with antialias (Pillow's, which torchvision uses for Pillow images). Then only
    pixels of the full value 255 count for MVTec AD and BTAD, since the authors' code truncates [0, 1] to whole
    numbers, and all pixels above 0 for VisA. Thus small defects shrink or vanish in the first and grow in the second.
    All others follow MVTec AD after every non-zero value is made 255.

    Args:
        image: as listed; a normal image gives all False without being opened.
        size: height and width in pixels.
        dataset: one of `storage.datasets.DATASETS`.

    Returns:
        bool (H, W).

    Raises:
        ValueError: if the image is defective and its mask is missing.
        UnreadableImageError: if a mask cannot be decoded.
        DatasetLayoutError: if a mask does not fit the image or this dataset's rule, or the masks differ in size.
    """
    height, width = size
    require_known(image)
    if not image.masks:
        return np.zeros((height, width), dtype=bool)
    if dataset not in REFERENCE_READS:
        grey = Image.fromarray(load_mask(root, image).astype(np.uint8) * 255)
    else:
        grey = read_mask(root, image, image.masks[0].path)
        if dataset != "visa":
            require_full_values(grey, image.masks[0].path, image.path, dataset)
    resized = np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR))
    return resized > 0 if dataset == "visa" else resized == 255


def load_channels(root: Path | str, image: LabelledImage) -> np.ndarray:
    """Every mask file of an image as one channel, at the masks' own size.

    Args:
        image: as listed; a normal image gives one empty channel at the image's size.

    Returns:
        bool (number of masks, H, W), at least one channel.

    Raises:
        ValueError: if the image is defective and its mask is missing.
        UnreadableImageError: if a mask, or the normal image, cannot be decoded.
        DatasetLayoutError: if the masks of the image differ in size.
    """
    require_known(image)
    if not image.masks:
        path = Path(root) / image.path
        with _decoding(path):
            header = read_header(path.read_bytes())
        return np.zeros((1, header.height, header.width), dtype=bool)
    channels = [np.asarray(read_mask(root, image, mask.path)) > 0 for mask in image.masks]
    if len({channel.shape for channel in channels}) > 1:
        sizes = ", ".join(f"{mask.path} {c.shape}" for mask, c in zip(image.masks, channels, strict=True))
        raise DatasetLayoutError(f"masks of {image.path} must have one size, got {sizes}; export them again")
    return np.stack(channels)


def require_known(image: LabelledImage) -> None:
    """Refuse an image of which it is not known where it is defective, since no mask would mean nowhere.

    Raises:
        ValueError: if it is defective and its mask is missing.
    """
    if not image.pixels_known:
        raise ValueError(f"image must have a mask, as it is defective, got none for {image.path}; leave it out")


def read_mask(root: Path | str, image: LabelledImage, mask: str) -> Image.Image:
    """One mask of a defective image as 8-bit grey, turned as the image is seen upright; see `mask_rules`.

    Raises:
        UnreadableImageError: if the mask or the image cannot be decoded.
        DatasetLayoutError: if the mask does not fit the image, or marks nothing.
    """
    path, image_path = Path(root) / mask, Path(root) / image.path
    grey, is_upright = _read_upright(path)
    with _decoding(image_path):
        header = read_header(image_path.read_bytes())
    require_marked(grey, mask, image.path)
    return turned_like(grey, is_upright=is_upright, header=header, path=mask, image_path=image.path)


def read_grey(path: Path) -> Image.Image:
    """A mask file as an 8-bit grey image, upright where it says how it is turned; see `mask_rules.grey_of`.

    A JPEG, JPEG 2000 or WebP, whose zeros are not exact, becomes 0 and 255.

    Args:
        path: a file of one of `storage.images.decode.FORMATS`, whatever its name.

    Returns:
        An image of mode L.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if the file cannot be decoded, holds more pixels than is safe, or more than one picture.
    """
    return _read_upright(path)[0]


def _read_upright(path: Path) -> tuple[Image.Image, bool]:
    """As `read_grey`, and whether the file itself says how it is turned."""
    stored = find_picture(path.read_bytes())
    with _decoding(path), open_picture(stored.content) as image:
        require_whole(image, stored.content)
        count = stored.page.count if stored.page else getattr(image, "n_frames", 1)
        if count > 1:
            raise UnreadableImageError(f"it holds {count} frames or pages; save one that marks all defects")
        grey = grey_of(turn_upright(image, stored.orientation))
        grey = grey.point([0] * 128 + [255] * 128) if image.format in LOSSY else grey
        return grey, stored.orientation != UPRIGHT


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableImageError(f"image must be decodable, got {str(path)!r} ({error}); replace it") from error
