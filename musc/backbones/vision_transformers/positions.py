"""Learned position embeddings, resized from the grid a model was trained on to the grid it is run on.

The published numbers resize them bicubically *without* antialiasing, where today's libraries antialias. On the
reference photographs the two move a token by up to 0.5, so it is done here, before the weights reach the model.
"""

import math

import torch
import torch.nn.functional as F


def resize_positions(
    embedding: torch.Tensor,
    *,
    prefix_count: int,
    trained_grid: tuple[int, int],
    grid: tuple[int, int],
    antialias: bool,
    offset: float = 0.0,
) -> torch.Tensor:
    """Resize the patch part of a position embedding; the entries of prefix tokens stay as they are.

    Args:
        embedding: float (k + rows · columns, C), k entries of prefix tokens first.
        prefix_count: k.
        trained_grid: the grid the weights are expected to have; a file with another number of positions is taken for
            a square grid.
        grid: patch rows and columns wanted.
        antialias: whether a smaller grid is low-pass filtered first.
        offset: added to the new rows and columns when the scale is computed, without changing how many there are.
            Meta's DINO and DINOv2 code does so with 0.1; only without antialiasing.

    Returns:
        Float32 (k + new rows · new columns, C); `embedding` itself where the grid does not change.

    Raises:
        ValueError: if the number of positions is neither that of `trained_grid` nor a square.
    """
    source = trained_grid_of(embedding.shape[0] - prefix_count, trained_grid)
    if source == grid:
        return embedding
    prefix, patches = embedding[:prefix_count].float(), embedding[prefix_count:].float()
    plane = patches.reshape(1, *source, -1).permute(0, 3, 1, 2)  # (1, C, rows, columns)
    if antialias or not offset:
        plane = F.interpolate(plane, size=grid, mode="bicubic", align_corners=False, antialias=antialias)
    else:
        scale = ((grid[0] + offset) / source[0], (grid[1] + offset) / source[1])
        plane = F.interpolate(plane, scale_factor=scale, mode="bicubic", align_corners=False)
    return torch.cat([prefix, plane.flatten(2)[0].T])


def trained_grid_of(position_count: int, expected: tuple[int, int]) -> tuple[int, int]:
    """The patch grid a number of stored positions stands for.

    Raises:
        ValueError: if the number is neither that of `expected` nor a square.
    """
    if position_count == expected[0] * expected[1]:
        return expected
    side = math.isqrt(max(position_count, 0))
    if side == 0 or side * side != position_count:
        raise ValueError(
            f"position embedding must cover a grid of {expected[0]} × {expected[1]} patches or a square one, "
            f"got {position_count} positions; use weights trained for this model"
        )
    return side, side
