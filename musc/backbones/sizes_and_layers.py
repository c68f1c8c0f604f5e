"""Image sizes, patch grids and layer numbers: arithmetic on whole numbers, checked before any model is built."""

import itertools
from collections.abc import Sequence
from math import sqrt

from musc.layers import Grid, Layer

LARGE_SIDE_OF_PATCH_14 = 518
LARGE_SIDE = 512
CONVOLUTIONAL_SIZE = (320, 320)
"""Height and width in pixels for convolutional networks by default; how chosen: docs/backbones.md."""
FINEST_STRIDE = 8
"""Pixels per patch of the finest levels of a convolutional network taken by default."""


def resolve_image_size(
    image_size: int | tuple[int, int] | None,
    patch: tuple[int, int],
    default: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """Turn what a user asked for into a height and a width that whole patches fill.

    Args:
        image_size: pixels; one number for a square, (height, width), or None for the default.
        patch: patch height and width in pixels.
        default: height and width; None is that of the published numbers: 518 where the patch is 14, else 512 (rounded
            down to whole patches).

    Returns:
        Height and width in pixels.

    Raises:
        ValueError: if a side is not a positive whole number of patches.
    """
    if image_size is None:
        return default or (default_side(patch[0]), default_side(patch[1]))
    sides = (image_size, image_size) if isinstance(image_size, int) else image_size
    for side, patch_side, direction in zip(sides, patch, ("height", "width"), strict=True):
        if side < patch_side or side % patch_side:
            below = max(side // patch_side, 1) * patch_side
            raise ValueError(
                f"image_size must have a {direction} that is a multiple of the patch size {patch_side}, "
                f"at least {patch_side}, got {image_size}; use {below} or {below + patch_side}"
            )
    return sides


def size_in_proportion(size: tuple[int, int], grids: Sequence[Grid], shape: tuple[int, int]) -> tuple[int, int]:
    """An image size of about as many pixels as another, in the proportions of an image.

    Args:
        size: height and width in pixels.
        grids: patch rows and columns of the layers at that size; the coarsest one says what sides are multiples of.
        shape: height and width of the image.

    Returns:
        Height and width, each a multiple of the coarsest patches, at least one.

    >>> size_in_proportion((320, 320), [(40, 40), (10, 10)], (500, 1000))
    (224, 448)
    """
    steps = (size[0] // min(rows for rows, _ in grids), size[1] // min(columns for _, columns in grids))
    height = sqrt(size[0] * size[1] * shape[0] / shape[1])
    sides = (height, height * shape[1] / shape[0])
    down, across = (max(1, round(side / step)) * step for side, step in zip(sides, steps, strict=True))
    return down, across


def default_side(patch_side: int) -> int:
    """Pixels of the default input along one side: the larger size of the published tables."""
    return LARGE_SIDE_OF_PATCH_14 if patch_side == 14 else LARGE_SIDE // patch_side * patch_side


def coarse_levels(strides: Sequence[int]) -> tuple[int, ...]:
    """The levels of a convolutional network taken by default: of stride 8 and more, else the last one.

    >>> coarse_levels((2, 4, 8, 16, 32)), coarse_levels((2, 4))
    ((2, 3, 4), (1,))
    """
    coarse = tuple(level for level, stride in enumerate(strides) if stride >= FINEST_STRIDE)
    return coarse or (len(strides) - 1,)


def alike(numbers: Sequence[int], grid: Grid, width: int) -> tuple[Layer, ...]:
    """Layers of one grid and width, as those of a vision transformer are."""
    return tuple(Layer(number, grid, width) for number in numbers)


def resolve_layers(layers: Sequence[int] | None, depth: int, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Check the layers a user asked for, or choose the last of each quarter of the depth.

    The paper takes its four stages this way: blocks 5, 11, 17, 23 of 24, and 2, 5, 8, 11 of 12.

    Args:
        layers: 0-based numbers, growing, or None.
        depth: how many layers, such as transformer blocks, the model has, at least one.
        default: what None means instead.

    Returns:
        0-based numbers of layers.

    Raises:
        ValueError: if there are none, if they do not grow strictly, or if one is not a layer of the model.
    """
    if layers is None and default is not None:
        return default
    if layers is None:
        ends = (-(-depth * quarter // 4) - 1 for quarter in (1, 2, 3, 4))
        return tuple(dict.fromkeys(ends))
    chosen = tuple(layers)
    if not chosen:
        raise ValueError("layers must name at least one layer, got none; leave it out for the default")
    if any(later <= earlier for earlier, later in itertools.pairwise(chosen)):
        raise ValueError(f"layers must grow strictly, got {chosen}; use {tuple(sorted(set(chosen)))}")
    outside = [layer for layer in chosen if not 0 <= layer < depth]
    if outside:
        raise ValueError(
            f"layers must lie in 0 to {depth - 1} for a model of {depth} layers, got {outside}; they count from 0"
        )
    return chosen
