"""Pixels of networks are those of torchvision's transforms to the bit, made without torchvision."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import Compose, InterpolationMode, Normalize, Resize, ToTensor

from musc.backbones.pil_images import Preprocess

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize("kind", ["bicubic", "bilinear"])
@pytest.mark.parametrize("shape", [(90, 61), (64, 96), (20, 300), (7, 5)])
def test_pixels_are_those_of_torchvision_to_the_bit(kind: str, shape: tuple[int, int]) -> None:
    image = Image.fromarray(np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8))
    theirs = Compose(
        [
            Resize((64, 96), interpolation=InterpolationMode(kind), antialias=True),
            ToTensor(),
            Normalize(MEAN, DEVIATION),
        ]
    )
    ours = Preprocess((64, 96), Image.Resampling[kind.upper()], MEAN, DEVIATION)
    pixels = ours(image)
    assert pixels.shape == (3, 64, 96)
    assert pixels.is_contiguous()
    assert torch.equal(pixels, theirs(image))
