"""From an anomaly map to a defect's pixels and boxes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

USUAL_PATCHES = 0.999
"""Part of the accepted images' patches that lie below the pixel threshold."""
FINE_SHARE = 0.6
"""How far an outline's level lies from the median of the finest map to its peak; figures: `benchmarks.outlines`."""
PEAK_SHARE = 0.8
"""How far above its median, towards its peak, a listed image's map is looked at in any case."""
EIGHT_CONNECTED = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Box:
    """One connected region of defective pixels, in pixels of the original upright image."""

    x: int
    """First column."""
    y: int
    """First row."""
    width: int
    height: int
    peak_score: float
    """Largest value of the anomaly map inside."""


def pixel_threshold(patch_scores: NDArray[Any], listed: NDArray[np.bool_], threshold: float) -> float:
    """The value from which on pixels of flagged and suspect images are looked at, one for the whole lot.

    It is what all but one in a thousand patches of the accepted images stay below, so it follows from what this lot's
    good parts look like. It never exceeds the image threshold, so every listed image has at least one such pixel.

    Args:
        patch_scores: (N, …), the scores of every image's patches; NaN outside of a region of interest.
        listed: (N,), the images that are flagged or suspect.
        threshold: raw image score at and above which images are listed, or `lowest_peak` where that is no value of a
            map; NaN or infinite if none is.

    Returns:
        The pixel threshold, in the unit of the scores; NaN if no image is listed.
    """
    if not listed.any():
        return float("nan")
    if listed.all():
        return float(threshold)
    return min(float(np.nanquantile(patch_scores[~listed], USUAL_PATCHES)), float(threshold))


def lowest_peak(patch_scores: NDArray[Any], listed: NDArray[np.bool_]) -> float:
    """The highest patch of the listed image where that is lowest; infinite if no image is listed.

    It stands for the image threshold in the unit of the maps where image scores are not the maps' maxima.
    """
    if not listed.any():
        return float("inf")
    return min(float(np.nanmax(image)) for image in patch_scores[listed])


def defect_mask(anomaly_map: NDArray[Any], fine_map: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Which pixels of a listed image are defective: bool (H, W); none if the threshold is NaN.

    All levels of a network together say that there is a defect, the finest one says best where: coarse levels see far
    around it. So defective are pixels at or above the threshold whose finest score is high for this image: at least
    `FINE_SHARE` of the way from the median of its own map up to the highest one at or above the threshold, or as high
    as at the worst place of the image. Where a photograph differs as a whole, its most different places are outlined
    and not its frame.

    Args:
        anomaly_map: (H, W), 0 outside of a region of interest.
        fine_map: (H, W), the map of the layers with the finest grid alone; the same map where all have it.
        threshold: see `pixel_threshold`; lowered where it lies above `PEAK_SHARE` of the way from this map's median
            to its peak, of which hardly more than the tip would be outlined.
    """
    level, fine_level = outline_levels(anomaly_map, fine_map, threshold)
    return np.asarray((anomaly_map >= level) & (fine_map >= fine_level))


def outline_levels(anomaly_map: NDArray[Any], fine_map: NDArray[Any], threshold: float) -> tuple[float, float]:
    """From which values of both maps on a pixel is defective, as `defect_mask` says; NaN for none."""
    inside = anomaly_map != 0
    if np.isnan(threshold) or not inside.any():
        return float("nan"), float("nan")
    level = min(threshold, part_way(anomaly_map[inside], float(anomaly_map.max()), PEAK_SHARE))
    peak = float(fine_map[anomaly_map >= level].max())
    at_worst = float(fine_map.flat[anomaly_map.argmax()])
    return level, min(at_worst, part_way(fine_map[inside], peak, FINE_SHARE))


def part_way(values: NDArray[Any], peak: float, share: float) -> float:
    """The value at a share of the way from the median to a peak."""
    median = float(np.median(values))
    return median + share * (peak - median)


def boxes(anomaly_map: NDArray[Any], mask: NDArray[np.bool_], image_size: tuple[int, int]) -> list[Box]:
    """The bounding boxes of the 8-connected regions of a mask, the most anomalous first.

    Args:
        anomaly_map: (H, W), of any size: at the patch grid's, at the network's or at the image's.
        mask: bool (H, W), see `defect_mask`.
        image_size: height and width in pixels of the original upright image, to which boxes are scaled outwards.

    Returns:
        Boxes inside the image, each at least one pixel in size.
    """
    from scipy import ndimage  # takes half a second to load

    regions, count = ndimage.label(mask, structure=EIGHT_CONNECTED)
    peaks = ndimage.maximum(anomaly_map, regions, index=np.arange(1, count + 1)) if count else []
    result = []
    for (rows, columns), peak in zip(ndimage.find_objects(regions), peaks, strict=True):
        top, bottom = scaled(rows, len(anomaly_map), image_size[0])
        left, right = scaled(columns, anomaly_map.shape[1], image_size[1])
        result.append(Box(left, top, right - left, bottom - top, float(peak)))
    return sorted(result, key=lambda box: (-box.peak_score, box.y, box.x))


def scaled(span: slice, side: int, image_side: int) -> tuple[int, int]:
    """A span of map pixels in pixels of the image, widened to whole ones.

    >>> scaled(slice(1, 2), 3, 10)
    (3, 7)
    """
    return span.start * image_side // side, -(-span.stop * image_side // side)
