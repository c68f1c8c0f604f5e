"""Pixel metrics of sets beyond memory: counts per score bin that batches update and machines merge.

A bin's scores are treated as tied, so a histogram gives the exact metrics of scores rounded down to
`(high - low) / bin_count`. How far these can lie from the metrics of the scores themselves follows from the counts
alone and is what `histogram_error_bounds` states.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from musc.metrics.bounds import overlap_error_bound, ranking_error_bounds
from musc.metrics.counting import CleanCounts
from musc.metrics.inputs import Binary, Scores, as_limits, as_masks_and_maps, name_by_limit
from musc.metrics.overlap import overlap_area
from musc.metrics.ranking import ranking_metrics
from musc.metrics.regions import region_weights
from musc.metrics.ties import Counts, Weights


@dataclass(frozen=True, eq=False)
class PixelHistogram:
    """What is known of all pixels seen so far; its size depends on the number of bins only."""

    score_range: tuple[float, float]
    """Lowest and highest score allowed, both included."""
    clean: Counts
    """(bins,) clean pixels per bin, lowest scores first."""
    defective: Counts
    """(bins,) defective pixels per bin."""
    overlap: Weights
    """(bins,) 1 / area of their regions, summed over the defective pixels of each bin."""
    region_count: int
    """8-connected defect regions."""


def empty_histogram(bin_count: int = 2**16, score_range: tuple[float, float] = (0.0, 2.0)) -> PixelHistogram:
    """The histogram of no pixel, with which every set begins.

    Args:
        bin_count: bins of equal width, at least 1; 24 bytes each.
        score_range: lowest and highest score; distances of unit vectors, hence MuSc's maps, lie in [0, 2].

    Raises:
        ValueError: if there is no bin, or the range is empty or not finite.
    """
    low, high = float(score_range[0]), float(score_range[1])
    if bin_count < 1:
        raise ValueError(f"bin_count must be at least 1, got {bin_count}; 65536 is usual")
    if not (np.isfinite(high - low) and low < high):
        raise ValueError(f"score_range must be finite and rise, got ({low}, {high}); give lowest and highest score")
    zeros = np.zeros(bin_count, np.int64)
    return PixelHistogram((low, high), zeros, zeros, np.zeros(bin_count), region_count=0)


def validate_batch(histogram: PixelHistogram, masks: ArrayLike, anomaly_maps: ArrayLike) -> tuple[Binary, Scores]:
    """Refuse a batch that the histogram cannot hold.

    Args:
        histogram: whose range the scores must keep to.
        masks: (N, H, W) of whole images, binary.
        anomaly_maps: (N, H, W) finite.

    Returns:
        Booleans (N, H, W) and float32 or float64 (N, H, W).

    Raises:
        ValueError: if shapes differ, a mask is not binary, or a score is not finite or outside the range.
    """
    defective, maps = as_masks_and_maps(masks, anomaly_maps)
    low, high = histogram.score_range
    if maps.min() < low or maps.max() > high:
        raise ValueError(
            f"anomaly_maps must lie in the histogram's range [{low:g}, {high:g}], "
            f"got [{maps.min():g}, {maps.max():g}]; begin with a wider score_range"
        )
    return defective, maps


def update_histogram(histogram: PixelHistogram, masks: ArrayLike, anomaly_maps: ArrayLike) -> PixelHistogram:
    """The histogram of the pixels seen before and those of a batch of whole images.

    Args:
        histogram: what was seen before; left unchanged.
        masks: (N, H, W) binary. An image must not be cut: its regions are found here.
        anomaly_maps: (N, H, W) finite, within the range.

    Returns:
        A new histogram; the order and size of batches do not matter, up to float64 rounding of `overlap`.

    Raises:
        ValueError: as `validate_batch`.
    """
    defective, maps = validate_batch(histogram, masks, anomaly_maps)
    bin_count = len(histogram.clean)
    all_counts = np.zeros(bin_count, np.int64)
    for image in maps:
        all_counts += np.bincount(_bins(image.ravel(), histogram), minlength=bin_count)
    weights, region_count = region_weights(defective)
    defective_bins = _bins(maps[defective], histogram)
    defective_counts = np.bincount(defective_bins, minlength=bin_count)
    return PixelHistogram(
        score_range=histogram.score_range,
        clean=histogram.clean + all_counts - defective_counts,
        defective=histogram.defective + defective_counts,
        overlap=histogram.overlap + np.bincount(defective_bins, weights, minlength=bin_count),
        region_count=histogram.region_count + region_count,
    )


def merge_histograms(first: PixelHistogram, second: PixelHistogram) -> PixelHistogram:
    """The histogram of two disjoint sets of images.

    Args:
        first: of one set.
        second: of the other, with the same range and bins.

    Returns:
        A new histogram, as if one had seen both sets.

    Raises:
        ValueError: if the bins differ.
    """
    ours = (first.score_range, len(first.clean))
    theirs = (second.score_range, len(second.clean))
    if ours != theirs:
        raise ValueError(
            f"histograms must have the same range and number of bins, got {ours} and {theirs}; "
            "begin both with the same empty_histogram"
        )
    return PixelHistogram(
        score_range=first.score_range,
        clean=first.clean + second.clean,
        defective=first.defective + second.defective,
        overlap=first.overlap + second.overlap,
        region_count=first.region_count + second.region_count,
    )


def histogram_metrics(histogram: PixelHistogram, limits: Sequence[float] = (0.3,)) -> dict[str, float]:
    """The pixel metrics with every bin's scores taken as tied.

    Args:
        histogram: of all pixels.
        limits: false positive rates in (0, 1] up to which AU-PRO integrates.

    Returns:
        `auroc`, `f1_max`, `ap`, `aupro` and `aupro_<limit>`, named and NaN as in `pixel_metrics`; `f1_max` is never
        above the exact one.

    Raises:
        ValueError: if a limit is no rate.
    """
    rates = as_limits(limits)
    defective_reached, overlap_reached, clean = _curves(histogram)
    areas = [overlap_area(overlap_reached, clean, rate) for rate in rates]
    return ranking_metrics(defective_reached, clean) | name_by_limit("aupro", areas, rates)


def histogram_error_bounds(histogram: PixelHistogram, limits: Sequence[float] = (0.3,)) -> dict[str, float]:
    """How far each figure of `histogram_metrics` can lie from the exact one, up to float64 rounding.

    The bounds hold for any scores within the bins, so they need no assumption; see `musc.metrics.bounds`.

    Args:
        histogram: of all pixels.
        limits: as for `histogram_metrics`.

    Returns:
        The same keys; absolute differences, NaN where the figure is.

    Raises:
        ValueError: if a limit is no rate.
    """
    rates = as_limits(limits)
    defective_reached, overlap_reached, clean = _curves(histogram)
    areas = [overlap_error_bound(overlap_reached, clean, rate) for rate in rates]
    return ranking_error_bounds(defective_reached, clean) | name_by_limit("aupro", areas, rates)


def _bins(scores: Scores, histogram: PixelHistogram) -> Counts:
    low, high = histogram.score_range
    bin_count = len(histogram.clean)
    # In float64 whatever the dtype: an order-preserving map that batches of all dtypes share.
    places = (scores.astype(np.float64) - low) * (bin_count / (high - low))
    return np.minimum(places.astype(np.int64), bin_count - 1)


def _curves(histogram: PixelHistogram) -> tuple[Counts, Weights, CleanCounts]:
    """Highest bin first: defective reached, mean overlap reached, clean above and reached; all empty if none."""
    bin_count = len(histogram.clean) if histogram.region_count else 0
    defective = np.cumsum(histogram.defective[::-1])[:bin_count]
    overlap = np.cumsum(histogram.overlap[::-1])[:bin_count] / max(histogram.region_count, 1)
    reached = np.cumsum(histogram.clean[::-1])
    above = reached - histogram.clean[::-1]
    return defective, overlap, CleanCounts(above[:bin_count], reached[:bin_count], int(reached[-1]))
