"""Defect channels of MVTec LOCO AD and how much of each must be found (Bergmann et al., 2022: saturation)."""

from pathlib import Path

import numpy as np

from storage.datasets.masks import load_channels
from storage.datasets.records import LabelledImage, Mask


def saturation_pixels(mask: Mask, area: int) -> int:
    """Pixels of a defect that must be found for it to count as fully found.

    A missing object may be marked over its whole possible area, of which finding a part is enough.

    Args:
        mask: a defect channel, with its threshold.
        area: the channel's defective pixels.

    Returns:
        int(threshold · area) when the threshold is relative, else min(threshold, area); at least one pixel, since a
        defect is not found before any of it is: half of a single pixel would be none.

    Raises:
        ValueError: if the mask carries no threshold.
    """
    if mask.saturation_threshold is None:
        raise ValueError(
            f"mask must carry a saturation threshold, got none for {mask.path}; list the dataset as mvtec_loco"
        )
    part = mask.saturation_threshold * area if mask.relative_saturation else min(mask.saturation_threshold, area)
    return max(1, int(part))


def loco_defects(root: Path | str, image: LabelledImage) -> tuple[np.ndarray, np.ndarray]:
    """The defect channels of one image at original size, for AU-sPRO.

    Args:
        root: the dataset's root.
        image: as listed by the dataset `mvtec_loco`.

    Returns:
        Masks, bool (D, H, W), and saturation in pixels, int64 (D,); D is 0 for a normal image.

    Raises:
        ValueError: if the image was listed by another dataset.
        UnreadableImageError: if a mask, or the normal image, cannot be decoded.
        DatasetLayoutError: if the masks of the image differ in size.
    """
    channels = load_channels(root, image)[: len(image.masks)]
    areas = channels.sum(axis=(1, 2))
    saturation = [saturation_pixels(mask, int(area)) for mask, area in zip(image.masks, areas, strict=True)]
    return channels, np.array(saturation, dtype=np.int64)
