"""How well scores and maps agree with the truth: exact, with ties merged, and checked against other implementations.

A figure that the data do not define is NaN, never 0: AUROC without a good and a bad example, AP and F1-max without a
bad one, every region metric without a region or without a clean pixel.
"""

from musc.metrics.images import image_metrics
from musc.metrics.pixels import pixel_metrics
from musc.metrics.saturated_overlap import auspro

__all__ = ["auspro", "image_metrics", "pixel_metrics"]
