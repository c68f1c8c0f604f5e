"""Features of convolutional networks: patch tokens of levels with grids of their own, and an image embedding."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from musc.backbones.backbone import Features
from musc.threads import for_each

SIDE_BY_SIDE_PIXELS = 640 * 640
"""Larger images are taken in turn, each by all threads: several at once would take much memory."""


def features_of_levels(
    images: torch.Tensor, *, network: Callable[[torch.Tensor], tuple[torch.Tensor, list[torch.Tensor]]]
) -> Features:
    """Patch tokens of the chosen levels and the image embedding.

    On a CPU each image by itself, several side by side with a thread each where they are small: that is faster than to
    divide one image among threads, and neither the batch nor the number of threads changes a digit of the features.

    Args:
        images: float32 (N, 3, H, W) on the network's device.
        network: gives embeddings (N, D) and maps (N, C, rows, columns) of the chosen levels.

    Returns:
        Patch tokens (N, P, C) per level, each on its own grid, and class tokens (N, D) of unit length.
    """
    of_images: dict[int, tuple[torch.Tensor, list[torch.Tensor]]] = {}
    parts = images.split(1 if images.device.type == "cpu" else len(images))

    def run(number: int) -> None:
        with torch.inference_mode(inferring):  # each thread has a mode of its own
            of_images[number] = network(parts[number])

    inferring, numbers = torch.is_inference_mode_enabled(), range(len(parts))
    # TF32 would make features differ between GPUs by more than rounding.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        if images.device.type == "cpu" and images[0, 0].numel() <= SIDE_BY_SIDE_PIXELS:
            for_each(run, numbers, images.device)
        else:
            for number in numbers:
                run(number)
    embeddings, maps = zip(*(of_images[number] for number in numbers), strict=True)
    of_levels = [torch.cat(level).flatten(2).transpose(1, 2) for level in zip(*maps, strict=True)]
    return Features(of_levels, F.normalize(torch.cat(embeddings), dim=-1))
