"""Matrix products by the fastest way of a device; those of float16 and bfloat16 are summed and kept in float32.

Rounding unit vectors to a unit roundoff u (2⁻¹¹ in float16, 2⁻⁸ in bfloat16) moves a similarity by at most 2u + u², and
so a squared distance by twice that. The similarity itself must not be rounded again: near 1 a bfloat16 step is 2⁻⁸,
which between equal patches is a distance of 0.09 instead of 0.
"""

import torch

from musc.grids import SUMMED_CHANNELS, rounded_up
from musc.kernels import onednn_products as onednn
from musc.threads import Scratch

HALF_DTYPES = (torch.float16, torch.bfloat16)

ALIGNMENT = 16
"""Rows of a product start this many float32 values apart, or a multiple: with whole cache lines the product is up to
1.2 times as fast (P = 1369)."""


def multiply(left: torch.Tensor, right: torch.Tensor, scratch: Scratch) -> torch.Tensor:
    """The products of all rows of `left` with all rows of `right`, summed in float32 or wider.

    On a CPU half-precision operands are widened first, which gives what a GPU gives up to the order of summation.

    Args:
        left: float (m, C).
        right: float (n, C), of the same dtype.
        scratch: where products may be put, which the next ones overwrite.

    Returns:
        (m, n).
    """
    if left.dtype in HALF_DTYPES:
        if left.device.type == "cuda":
            return torch.mm(left, right.T, out_dtype=torch.float32)
        left, right = left.float(), right.float()
    if onednn.is_available(left.dtype, left.device) and left.shape[1] <= SUMMED_CHANNELS:
        return onednn.multiply_short(left, right)
    room = scratch.rows(len(left), rounded_up(len(right), ALIGNMENT), left.dtype, left.device)[:, : len(right)]
    multiply_into(left, right, room)
    return room


def multiply_into(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> None:
    """Put the products of all rows of `left`, float32 or wider, with all rows of `right` into `out`, (m, n)."""
    if onednn.is_available(left.dtype, left.device):
        onednn.multiply_into(left, right, out)
    else:
        torch.mm(left, right.T, out=out)


def product_dtype(dtype: torch.dtype) -> torch.dtype:
    """What products of features of a dtype are summed in: float32, or float64 for float64."""
    return torch.promote_types(dtype, torch.float32)
