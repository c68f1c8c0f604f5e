"""How well scores and maps agree with the truth: exact, with ties merged, and checked against other implementations.

A figure that the data do not define is NaN, never 0: AUROC without a good and a bad example, AP and F1-max without a
bad one, every region metric without a region or without a clean pixel.
"""

from musc.metrics.histogram import (
    PixelHistogram,
    empty_histogram,
    histogram_error_bounds,
    histogram_metrics,
    merge_histograms,
    update_histogram,
    validate_batch,
)
from musc.metrics.images import image_metrics
from musc.metrics.pixels import pixel_metrics
from musc.metrics.saturated import auspro

__all__ = [
    "PixelHistogram",
    "auspro",
    "empty_histogram",
    "histogram_error_bounds",
    "histogram_metrics",
    "image_metrics",
    "merge_histograms",
    "pixel_metrics",
    "update_histogram",
    "validate_batch",
]
