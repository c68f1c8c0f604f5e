"""From an anomaly map to a defect's pixels and boxes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

USUAL_PATCHES = 0.999
"""Part of the accepted images' patches that lie below the pixel threshold."""
EIGHT_CONNECTED = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Box:
    """One connected region above the pixel threshold, in pixels of the original upright image."""

    x: int
    """First column."""
    y: int
    """First row."""
    width: int
    height: int
    peak_score: float
    """Largest value of the anomaly map inside."""


def pixel_threshold(patch_scores: NDArray[Any], listed: NDArray[np.bool_], threshold: float) -> float:
    """The value at and above which a pixel of a flagged or suspect image counts as odd, one for the whole lot.

    It is what all but one in a thousand patches of the accepted images stay below, so it follows from what this lot's
    good parts look like. It never exceeds the image threshold, so every listed image has at least one such pixel.

    Args:
        patch_scores: (N, …), the scores of every image's patches; NaN outside of a region of interest.
        listed: (N,), the images that are flagged or suspect.
        threshold: raw image score at and above which images are listed; NaN or infinite if none is.

    Returns:
        The pixel threshold, in the unit of the scores; NaN if no image is listed.
    """
    if not listed.any():
        return float("nan")
    if listed.all():
        return float(threshold)
    return min(float(np.nanquantile(patch_scores[~listed], USUAL_PATCHES)), float(threshold))


def defect_mask(anomaly_map: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Which pixels are defective: bool (H, W); none if the threshold is NaN.

    Args:
        anomaly_map: (H, W).
        threshold: see `pixel_threshold`.
    """
    return np.asarray(anomaly_map >= threshold)


def boxes(anomaly_map: NDArray[Any], threshold: float, image_size: tuple[int, int]) -> list[Box]:
    """The bounding boxes of the 8-connected regions of a mask, the most anomalous first.

    Args:
        anomaly_map: (H, W), of any size: at the patch grid's, at the network's or at the image's.
        threshold: see `pixel_threshold`.
        image_size: height and width in pixels of the original upright image, to which boxes are scaled outwards.

    Returns:
        Boxes inside the image, each at least one pixel in size.
    """
    from scipy import ndimage  # takes half a second to load

    regions, count = ndimage.label(defect_mask(anomaly_map, threshold), structure=EIGHT_CONNECTED)
    peaks = ndimage.maximum(anomaly_map, regions, index=np.arange(1, count + 1)) if count else []
    found = []
    for (rows, columns), peak in zip(ndimage.find_objects(regions), peaks, strict=True):
        top, bottom = scaled(rows, len(anomaly_map), image_size[0])
        left, right = scaled(columns, anomaly_map.shape[1], image_size[1])
        found.append(Box(left, top, right - left, bottom - top, float(peak)))
    return sorted(found, key=lambda box: (-box.peak_score, box.y, box.x))


def scaled(span: slice, side: int, image_side: int) -> tuple[int, int]:
    """A span of map pixels in pixels of the image, widened to whole ones.

    >>> scaled(slice(1, 2), 3, 10)
    (3, 7)
    """
    return span.start * image_side // side, -(-span.stop * image_side // side)
