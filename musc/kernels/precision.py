"""Products of float16 and bfloat16 features, summed and kept in float32.

Rounding unit vectors to a unit roundoff u (2⁻¹¹ in float16, 2⁻⁸ in bfloat16) moves a similarity by at most 2u + u², and
so a squared distance by twice that. The similarity itself must not be rounded again: near 1 a bfloat16 step is 2⁻⁸,
which between equal patches is a distance of 0.09 instead of 0.
"""

import torch

HALF_DTYPES = (torch.float16, torch.bfloat16)


def multiply(left: torch.Tensor, right: torch.Tensor, scratch: torch.Tensor) -> torch.Tensor:
    """The products of all rows of `left` with all rows of `right`, summed in float32 or wider.

    On a CPU half-precision operands are widened first, which gives what a GPU gives up to the order of summation.

    Args:
        left: float (m, C).
        right: float (n, C), of the same dtype.
        scratch: (m, n) of the dtype `product_dtype` says, where the products may be put.

    Returns:
        (m, n), in `scratch` where that is possible.
    """
    if left.dtype not in HALF_DTYPES:
        return torch.mm(left, right.T, out=scratch)
    if left.device.type == "cuda":
        return torch.mm(left, right.T, out_dtype=torch.float32)
    return torch.mm(left.float(), right.float().T, out=scratch)


def product_dtype(dtype: torch.dtype) -> torch.dtype:
    """What products of features of a dtype are summed in: float32, or float64 for float64."""
    return torch.promote_types(dtype, torch.float32)
