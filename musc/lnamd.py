"""LNAMD, local neighbourhood aggregation with multiple degrees (MuSc, ICLR 2024, section 3.2).

A patch token describes one patch; a defect may be larger. Averaging each token with its neighbours lets small and
large defects stand out, each at its own degree.
"""

import torch
import torch.nn.functional as F

from musc.checks import require_patches
from musc.layers import Grid
from musc.ranges import require_degree


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
