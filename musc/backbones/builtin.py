"""What the backbones that come with this package share: patches, image sizes, choice of layers, preprocessing."""

import numpy as np
import torch
from PIL import Image

PATCH = 8
"""Pixels of the resized image per patch, in both directions."""

DEFAULT_SIDE = 256
"""Height and width in pixels unless told otherwise."""


def refuse_transformer_options(name: str, quick_gelu: bool | None, position_antialias: bool) -> None:
    """Refuse what only a vision transformer has.

    Raises:
        ValueError: naming the first that was given.
    """
    if quick_gelu is not None:
        raise ValueError(f"quick_gelu must be None for the backbone {name}, got {quick_gelu}; leave it out")
    if position_antialias:
        raise ValueError(f"position_antialias must be False for the backbone {name}, got True; leave it out")


def choose_image_size(name: str, image_size: int | tuple[int, int] | None, smallest: int) -> tuple[int, int]:
    """Height and width in pixels, both multiples of the patch size.

    Args:
        name: of the backbone, for the message.
        image_size: one side, (height, width), or None for the default.
        smallest: shortest side on offer.

    Raises:
        ValueError: if a side is no such multiple, naming the two nearest that are.
    """
    if image_size is None:
        return DEFAULT_SIDE, DEFAULT_SIDE
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2:
        raise ValueError(f"image_size must be one side or (height, width), got {image_size}; give one or two numbers")
    for side in sides:
        if side < smallest or side % PATCH:
            below = max(smallest, side // PATCH * PATCH)
            raise ValueError(
                f"image_size must be a multiple of {PATCH} of at least {smallest} for the backbone {name}, got {side}; "
                f"use {below} or {below + PATCH}"
            )
    return sides[0], sides[1]


def choose_layers(
    name: str, layers: tuple[int, ...] | None, layer_count: int, default: tuple[int, ...]
) -> tuple[int, ...]:
    """The layers to take, in the order given.

    Args:
        name: of the backbone, for the message.
        layers: each 0 to `layer_count` − 1; None is the default.
        layer_count: layers on offer.
        default: what None means.

    Raises:
        ValueError: if none is given, one is given twice or one is not on offer.
    """
    if layers is None:
        return default
    if not layers:
        raise ValueError(f"layers must name at least one layer, got none; choose from 0 to {layer_count - 1}")
    if len(set(layers)) != len(layers):
        raise ValueError(f"layers must differ from each other, got {tuple(layers)}; name each once")
    if unknown := [layer for layer in layers if layer not in range(layer_count)]:
        raise ValueError(
            f"layers must be 0 to {layer_count - 1} for the backbone {name}, got {unknown}; leave these out"
        )
    return tuple(layers)


def preprocess(image: Image.Image, image_size: tuple[int, int]) -> torch.Tensor:
    """Resize an RGB image bicubically with antialias, aspect not kept: float32 (3, height, width) in [0, 1]."""
    height, width = image_size
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).to(torch.float32) / 255
