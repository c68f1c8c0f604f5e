"""Float32 products of rows on a CPU, by oneDNN, the library behind torch's convolutions.

`torch.mm` multiplies with MKL, which leaves AVX-512 unused on processors of AMD; oneDNN takes half the time there, and
no more elsewhere. Its product of rows is a convolution: the rows of one side are the pixels of a picture that is one
pixel high, those of the other are kernels of one pixel.

Sums over many channels are made in parts, which is nearer to the exact sum than one go, and the same to the bit as
MKL makes them on processors of AMD and on those without AVX-512.
"""

from math import ceil

import torch

from musc.grids import SUMMED_CHANNELS, SUMMED_ROWS


def is_available(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether rows of a kind can be multiplied here: float32 on a CPU of x86."""
    libraries = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
    return device.type == "cpu" and dtype == torch.float32 and libraries


def part_width(width: int) -> int:
    """Channels of each part of a sum but the last.

    >>> part_width(40), part_width(320), part_width(1024)
    (40, 160, 192)
    """
    if width >= 2 * SUMMED_CHANNELS:
        return SUMMED_CHANNELS
    return width if width <= SUMMED_CHANNELS else ceil(width / 2)


def multiply_short(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The products of all rows of two sides in fresh memory, each summed in one go.

    Args:
        left: float32 (m, C).
        right: float32 (n, C).

    Returns:
        Float32 (m, n), contiguous.
    """
    pixels = left.contiguous()[None, None].permute(0, 3, 1, 2)  # (1, C, 1, m), channels last
    kernels = right.contiguous()[:, :, None, None]
    products = torch.mkldnn_convolution(pixels, kernels, None, (0, 0), (1, 1), (1, 1), 1)
    return products.permute(0, 2, 3, 1)[0, 0]


def multiply_into(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> None:
    """Put the products of all rows of two sides into `out`, float32 (m, n), its rows as far apart as they are."""
    width = left.shape[1]
    step = part_width(width)
    for top in range(0, len(left), SUMMED_ROWS):
        rows, place = left[top : top + SUMMED_ROWS], out[top : top + SUMMED_ROWS]
        place.copy_(multiply_short(rows[:, :step], right[:, :step]))
        for start in range(step, width, step):
            place.add_(multiply_short(rows[:, start : start + step], right[:, start : start + step]))
