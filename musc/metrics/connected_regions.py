"""The connected regions of defective pixels, in which every region counts the same however large it is."""

import numpy as np
from scipy import ndimage

from musc.metrics.inputs import Binary
from musc.metrics.ties import Weights

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


def region_weights(defective: Binary) -> tuple[Weights, int]:
    """What each defective pixel adds to the overlap with its region: 1 / area. Regions are 8-connected.

    Args:
        defective: (N, H, W).

    Returns:
        Float64 (M,), one weight per defective pixel in the order of `defective.nonzero()`, and the number of regions,
        which is also the sum of the weights.
    """
    weights = [np.empty(0)]
    region_count = 0
    for image in defective[defective.any(axis=(1, 2))]:
        labels, count = ndimage.label(image, _EIGHT_NEIGHBOURS)
        regions = labels[image]
        weights.append(1 / np.bincount(regions)[regions])
        region_count += count
    return np.concatenate(weights), region_count
