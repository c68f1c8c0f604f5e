"""AU-sPRO: overlap with defects of which only a part has to be found."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musc.metrics.counting import count_clean
from musc.metrics.inputs import Binary, Scores, as_binary, as_limits, as_scores
from musc.metrics.region_overlap import overlap_area
from musc.metrics.ties import group_ties


def auspro(
    defect_masks: ArrayLike,
    defect_image: ArrayLike,
    saturation_pixels: ArrayLike,
    anomaly_maps: ArrayLike,
    limits: Sequence[float] = (0.05,),
) -> NDArray[np.float64]:
    """Exact area under the saturated per-region overlap (Bergmann et al., MVTec LOCO AD).

    A defect's overlap is min(pixels found / saturation, 1). As the threshold falls it grows by 1 / saturation with
    each of the `saturation` highest-scoring pixels of its channel and then stays, so weighing just those pixels gives
    the whole curve at once. False positives are pixels that are clean in every channel of their image.

    Args:
        defect_masks: (D, H, W) one binary mask per defect channel.
        defect_image: integers (D,), the index of the image each channel belongs to.
        saturation_pixels: integers (D,), from 1 to the channel's area.
        anomaly_maps: (N, H, W) finite; images no channel belongs to are wholly clean.
        limits: false positive rates in (0, 1] up to which the curve is integrated.

    Returns:
        Float64, one value in [0, 1] per limit, in their order; NaN (not defined) without a channel or a clean pixel.

    Raises:
        ValueError: if shapes do not match, a mask is not binary or empty, an index names no image, a saturation lies
            outside its channel, a score is not finite or a limit is no rate.
    """
    rates = as_limits(limits)
    maps = as_scores("anomaly_maps", anomaly_maps, dimensions=3)
    channels = as_binary("defect_masks", defect_masks, dimensions=3)
    image_indices = _as_integers("defect_image", defect_image, channel_count=len(channels))
    saturations = _as_integers("saturation_pixels", saturation_pixels, channel_count=len(channels))
    _check_channels(channels, image_indices, saturations, maps)

    defective = np.zeros(maps.shape, np.bool_)
    for channel, image in zip(channels, image_indices, strict=True):
        defective[image] |= channel
    scores = [_highest(maps[i][c], s) for c, i, s in zip(channels, image_indices, saturations, strict=True)]
    weights = np.repeat(1 / (saturations * max(len(channels), 1)), saturations)
    groups = group_ties(np.concatenate([np.empty(0, maps.dtype), *scores]), weights)
    clean = count_clean(maps.ravel(), maps[defective], groups.scores)
    return np.array([overlap_area(groups.weight_reached, clean, rate) for rate in rates])


def _highest(scores: Scores, count: int) -> Scores:
    # Among pixels tied at the cut any may stay: they carry the same score and weight.
    return np.partition(scores, len(scores) - count)[len(scores) - count :]


def _as_integers(subject: str, values: ArrayLike, channel_count: int) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.shape != (channel_count,):
        raise ValueError(
            f"{subject} must hold one value per channel ({channel_count},), got shape {array.shape}; add or drop some"
        )
    integers = array.astype(np.int64)
    if not np.array_equal(integers, array):
        raise ValueError(f"{subject} must be whole numbers, got {array.tolist()}; round them")
    return integers


def _check_channels(
    channels: Binary, image_indices: NDArray[np.int64], saturations: NDArray[np.int64], maps: Scores
) -> None:
    if channels.shape[1:] != maps.shape[1:]:
        raise ValueError(
            f"defect_masks must have the size of anomaly_maps {maps.shape[1:]}, got {channels.shape[1:]}; "
            "resize the maps to the masks"
        )
    unknown = image_indices[(image_indices < 0) | (image_indices >= len(maps))].tolist()
    if unknown:
        raise ValueError(
            f"defect_image must lie in 0 to {len(maps) - 1}, got {unknown}; give positions in anomaly_maps"
        )
    areas = channels.sum(axis=(1, 2))
    empty = np.flatnonzero(areas == 0).tolist()
    if empty:
        raise ValueError(f"defect_masks must mark a pixel in every channel, got none in {empty}; leave those out")
    wrong = np.flatnonzero((saturations < 1) | (saturations > areas)).tolist()
    if wrong:
        raise ValueError(
            f"saturation_pixels must lie in 1 to the channel's area, got {saturations[wrong].tolist()} "
            f"for areas {areas[wrong].tolist()} in channels {wrong}; take the smaller of saturation and area"
        )
