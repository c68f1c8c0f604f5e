"""LNAMD of a few images without torch, for programs that only show results: loading torch costs 500 MB of memory.

The same law as `musc.lnamd.aggregate`, which scores are made with; a test holds the two together.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musc.layers import Grid

LAYER_NORM_EPSILON = 1e-5
SMALLEST_NORM = 1e-12


def aggregate_arrays(patch_tokens: NDArray[Any], grid: Grid, degree: int) -> NDArray[np.float32]:
    """Average every patch token with its `degree` × `degree` neighbourhood and scale it to unit length.

    Args:
        patch_tokens: (N, P, C), any floating dtype; computed in float32.
        grid: patch rows and columns, P = rows · columns.
        degree: side of the neighbourhood in patches, odd; cells outside the grid count as zeros.

    Returns:
        Float32 (N, P, C); every row has length 1, or 0 where the tokens of an image are all equal.
    """
    tokens = np.asarray(patch_tokens, dtype=np.float32)
    image_count, _, width = tokens.shape
    mean = tokens.mean(axis=(1, 2), keepdims=True)
    normal = (tokens - mean) / np.sqrt(tokens.var(axis=(1, 2), keepdims=True) + LAYER_NORM_EPSILON)
    if degree > 1:
        from scipy import ndimage  # takes half a second to load

        cells = normal.reshape(image_count, *grid, width)
        normal = ndimage.uniform_filter(cells, size=(1, degree, degree, 1), mode="constant").reshape(tokens.shape)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.asarray(normal / np.maximum(length, SMALLEST_NORM), dtype=np.float32)
