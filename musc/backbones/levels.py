"""Features of convolutional networks: patch tokens of levels with grids of their own, and an image embedding."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from musc.backbones.backbone import Features


def features_of_levels(
    images: torch.Tensor, *, network: Callable[[torch.Tensor], tuple[torch.Tensor, list[torch.Tensor]]]
) -> Features:
    """Patch tokens of the chosen levels and the image embedding.

    On a CPU one image at a time: that is no slower, and the batch cannot change a digit of the features.

    Args:
        images: float32 (N, 3, H, W) on the network's device.
        network: gives embeddings (N, D) and maps (N, C, rows, columns) of the chosen levels.

    Returns:
        Patch tokens (N, P, C) per level, each on its own grid, and class tokens (N, D) of unit length.
    """
    # TF32 would make features differ between GPUs by more than rounding.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        parts = [network(part) for part in images.split(1 if images.device.type == "cpu" else len(images))]
    of_levels = [torch.cat(maps).flatten(2).transpose(1, 2) for maps in zip(*(maps for _, maps in parts), strict=True)]
    return Features(of_levels, F.normalize(torch.cat([embedding for embedding, _ in parts]), dim=-1))
