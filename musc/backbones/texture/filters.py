"""The fixed filters of the `texture` backbone and how they are laid over a picture of any size."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from musc.backbones.texture.spec import ORIENTATION_COUNT

WAVELENGTH = 4.5
"""Pixels per cycle of the oriented filters, at their pyramid level."""

ENVELOPE = 1.6
"""Standard deviation in pixels of the Gaussian window of the oriented filters."""

RADIUS = 4
"""Filters are (2 · RADIUS + 1) pixels square."""


class FilterBank(NamedTuple):
    """Filters as convolution weights, each (filters, 1, 2 · RADIUS + 1, 2 · RADIUS + 1) float32."""

    even: torch.Tensor
    """Cosine phase, one per orientation: answers to lines."""
    odd: torch.Tensor
    """Sine phase, one per orientation: answers to steps."""
    spot: torch.Tensor
    """Centre minus surround: positive on bright spots, negative on dark ones."""
    smooth: torch.Tensor
    """Gaussian weights that sum to 1."""


def make_filter_bank() -> FilterBank:
    """The filter bank: quadrature pairs at six orientations, a difference of Gaussians and a smoothing filter.

    All but `smooth` sum to 0, so they do not see a change of brightness, and have absolute sum 1, so their answers
    are in units of the picture's contrast. Computed in float64 and rounded once.
    """
    axis = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64)
    down, right = torch.meshgrid(axis, axis, indexing="ij")
    window = gaussian(down, right, ENVELOPE)
    angles = [math.pi * k / ORIENTATION_COUNT for k in range(ORIENTATION_COUNT)]
    phases = [2 * math.pi / WAVELENGTH * (right * math.cos(angle) + down * math.sin(angle)) for angle in angles]
    even = torch.stack([balance(torch.cos(phase), window) for phase in phases])
    odd = torch.stack([balance(torch.sin(phase), window) for phase in phases])
    spot = gaussian(down, right, 1.0) - gaussian(down, right, 1.8)
    spot = (spot / spot.abs().sum())[None]
    smooth = gaussian(down, right, 1.5)[None]
    return FilterBank(*(filters[:, None].to(torch.float32) for filters in (even, odd, spot, smooth)))


def gaussian(down: torch.Tensor, right: torch.Tensor, deviation: float) -> torch.Tensor:
    """A Gaussian over the given offsets in pixels, summing to 1."""
    weights = torch.exp(-(down**2 + right**2) / (2 * deviation**2))
    return weights / weights.sum()


def balance(wave: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """The wave under the window (which sums to 1), shifted to sum 0 and scaled to absolute sum 1."""
    weights = (wave - (wave * window).sum()) * window
    return weights / weights.abs().sum()


def apply_filters(pictures: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """Filter every channel of (N, C, H, W) by every filter, mirroring at the border: (N, C, filters, H, W)."""
    count, channels, height, width = pictures.shape
    padded = mirror_border(pictures.reshape(count * channels, 1, height, width), RADIUS)
    return F.conv2d(padded, filters).reshape(count, channels, len(filters), height, width)


def halve(pictures: torch.Tensor) -> torch.Tensor:
    """The next pyramid level: (N, C, H, W) -> (N, C, H/2, W/2), blurred by the binomial 1 3 3 1 against aliasing.

    Height and width must be even; the sampling is symmetric, so mirrored pictures have mirrored levels.
    """
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], device=pictures.device, dtype=pictures.dtype) / 8
    count, channels, height, width = pictures.shape
    padded = mirror_border(pictures.reshape(count * channels, 1, height, width), 1)
    halved = F.conv2d(padded, torch.outer(taps, taps)[None, None], stride=2)
    return halved.reshape(count, channels, height // 2, width // 2)


def mirror_border(pictures: torch.Tensor, margin: int) -> torch.Tensor:
    """Extend (N, C, H, W) by `margin` on every side, reflecting about the outermost pixels as often as needed.

    Unlike torch's own reflection this works where the margin is wider than the picture.
    """
    rows = reflect_positions(pictures.shape[-2], margin).to(pictures.device)
    columns = reflect_positions(pictures.shape[-1], margin).to(pictures.device)
    return pictures.index_select(-2, rows).index_select(-1, columns)


def reflect_positions(length: int, margin: int) -> torch.Tensor:
    """Which of `length` positions stands at each place of the extended axis, int64 (length + 2 · margin,).

    Length 4 and margin 2 give 2 1 0 1 2 3 2 1.
    """
    period = max(2 * (length - 1), 1)
    phase = torch.arange(-margin, length + margin).remainder(period)
    return torch.minimum(phase, period - phase).clamp(max=length - 1)
