"""What the backbones that come with this package share: patches, image size, preprocessing."""

import numpy as np
import torch
from PIL import Image

PATCH = 8
"""Pixels of the resized image per patch, in both directions."""

DEFAULT_SIZE = (256, 256)
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


def preprocess(image: Image.Image, image_size: tuple[int, int]) -> torch.Tensor:
    """Resize an RGB image bicubically with antialias, aspect not kept: float32 (3, height, width) in [0, 1]."""
    height, width = image_size
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).to(torch.float32) / 255
