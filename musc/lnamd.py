"""LNAMD, local neighbourhood aggregation with multiple degrees (MuSc, ICLR 2024, section 3.2).

A patch token describes one patch; a defect may be larger. Averaging each token with its neighbours lets small and
large defects stand out, each at its own degree.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from musc.checks import require_patches
from musc.layers import Grid


def aggregate(patch_tokens: torch.Tensor, grid: Grid, degree: int) -> torch.Tensor:
    """Average every patch token with its `degree` × `degree` neighbourhood and scale it to unit length.

    Each image is first layer-normalised over channels, rows and columns together, without affine parameters. Cells
    outside the grid count as zeros, as in the paper's implementation.

    Args:
        patch_tokens: (N, P, C), any floating dtype; computed in float32.
        grid: patch rows and columns, P = rows · columns.
        degree: side of the neighbourhood in patches, odd; 1 leaves each patch alone.

    Returns:
        Float32 (N, P, C); every row has length 1, or 0 where the tokens of an image are all equal.

    Raises:
        ValueError: if `degree` is not a positive odd number, there are not three axes or the grid does not fit P.
    """
    require_degree(degree)
    require_patches("patch_tokens", patch_tokens, grid, ("N", "P", "C"))
    image_count, patch_count, width = patch_tokens.shape
    tokens = patch_tokens.float()
    normal = F.layer_norm(tokens, (patch_count, width))
    if degree > 1:
        cells = normal.view(image_count, *grid, width).permute(0, 3, 1, 2)  # (N, C, rows, columns)
        pooled = F.avg_pool2d(cells, degree, stride=1, padding=degree // 2, count_include_pad=True)
        normal = pooled.permute(0, 2, 3, 1).reshape(image_count, patch_count, width)
    return F.normalize(normal, dim=-1)


def require_degrees(degrees: Sequence[int]) -> None:
    """Refuse neighbourhood sides that are none, no sequence, repeated, or without a centre.

    Raises:
        ValueError: naming what was given.
    """
    if isinstance(degrees, int):
        raise ValueError(f"degrees must be neighbourhood sides, got {degrees}; write ({degrees},) for one")
    if not degrees:
        raise ValueError("degrees must name at least one neighbourhood side, got none; the paper uses 1, 3 and 5")
    for degree in degrees:
        require_degree(degree)
    if len(set(degrees)) != len(degrees):
        raise ValueError(f"degrees must differ from each other, got {degrees}; name each once")


def require_degree(degree: int) -> None:
    """Refuse a neighbourhood side that has no centre.

    Raises:
        ValueError: if `degree` is not a positive odd number.
    """
    if degree < 1 or degree % 2 != 1:
        raise ValueError(f"degree must be a positive odd number of patches, got {degree}; use for example 1, 3 or 5")
