"""What every backbone is: a name resolved to a specification, and the specification loaded into something that runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from PIL import Image

from musc.backbones.pil_images import upright_rgb
from musc.layers import BackboneSpec


class Features(NamedTuple):
    """What a backbone says about N images."""

    patch_tokens: list[torch.Tensor]
    """One float32 tensor (N, P, C) per layer, P and C its own, prefix tokens removed."""
    class_tokens: torch.Tensor
    """Float32 (N, D), rows of unit length."""


@dataclass(frozen=True)
class Backbone:
    """A loaded backbone: `preprocess` runs where images are decoded, `forward` on the device."""

    spec: BackboneSpec
    device: torch.device
    preprocess: Callable[[Image.Image], torch.Tensor]
    """One RGB image -> float32 (3, H, W)."""
    forward: Callable[[torch.Tensor], Features]
    """Float32 (N, 3, H, W) on `device` -> features on `device`."""

    @torch.inference_mode()
    def extract(self, images: Sequence[Image.Image], batch_size: int = 8) -> Features:
        """Features of a list of images, gathered on the CPU.

        Args:
            images: at least one PIL image of any size, made upright RGB by `musc.backbones.pil_images.upright_rgb`.
            batch_size: images in one forward pass.

        Returns:
            Patch tokens per layer, each float32 (N, P, C), and class tokens, float32 (N, D).

        Raises:
            ValueError: if `images` or the batch is empty, or pixels are floating point or 32-bit, of unknown range.
        """
        if not images:
            raise ValueError("images must hold at least one image, got none")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1 image, got {batch_size}; leave it out for 8")
        parts = []
        for start in range(0, len(images), batch_size):
            batch = [self.preprocess(upright_rgb(image)) for image in images[start : start + batch_size]]
            features = self.forward(torch.stack(batch).to(self.device))
            parts.append(Features([tokens.cpu() for tokens in features.patch_tokens], features.class_tokens.cpu()))
        layers = zip(*(part.patch_tokens for part in parts), strict=True)
        return Features(
            [torch.cat(layer) for layer in layers],
            torch.cat([part.class_tokens for part in parts]),
        )
