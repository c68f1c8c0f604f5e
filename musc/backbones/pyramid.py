"""The small convolutional network of the `synthetic-conv` backbone: a pyramid of features on one grid."""

import torch
import torch.nn.functional as F
from torch import nn

from musc.backbones.builtin import PATCH

STRIDES = (4, 8)
"""Pixels per cell of each level; finer cells are averaged to the common grid."""

STEM_WIDTH = 24
WIDTHS = (64, 128)
"""Channels of the levels."""

BLOCK_COUNTS = (2, 2)
"""Residual blocks of the levels."""

TOKEN_WIDTH = 96
"""C, the length of a token at every level."""


def convolution(source: int, target: int, kernel: int, stride: int, trainable: bool) -> nn.Sequential:
    """A convolution that mirrors the picture at its border; in training followed by batch normalisation."""
    layer = nn.Conv2d(source, target, kernel, stride, kernel // 2, bias=not trainable, padding_mode="reflect")
    return nn.Sequential(layer, nn.BatchNorm2d(target)) if trainable else nn.Sequential(layer)


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions beside the identity."""

    def __init__(self, width: int, trainable: bool) -> None:
        super().__init__()
        self.first = convolution(width, width, 3, 1, trainable)
        self.second = convolution(width, width, 3, 1, trainable)

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> the same shape."""
        return F.relu(cells + self.second(F.relu(self.first(cells))))


class PyramidEncoder(nn.Module):
    """Pictures -> one feature map per level, all on the grid of 8 × 8 pixel patches.

    Args:
        trainable: with batch normalisation after each convolution; once trained it is folded into the convolutions.
    """

    def __init__(self, trainable: bool = False) -> None:
        super().__init__()
        self.stem = convolution(3, STEM_WIDTH, 5, 2, trainable)
        sources = (STEM_WIDTH, *WIDTHS[:-1])
        self.levels = nn.ModuleList(
            nn.Sequential(
                convolution(source, width, 3, 2, trainable),
                nn.ReLU(),
                *(ResidualBlock(width, trainable) for _ in range(count)),
            )
            for source, width, count in zip(sources, WIDTHS, BLOCK_COUNTS, strict=True)
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, TOKEN_WIDTH, 1) for width in WIDTHS)

    def forward(self, pictures: torch.Tensor, level_count: int = len(STRIDES)) -> list[torch.Tensor]:
        """Normalised pictures (N, 3, H, W), H and W multiples of 8 -> per level (N, C, H/8, W/8).

        Only the first `level_count` levels are computed.
        """
        cells = F.relu(self.stem(pictures))
        maps = []
        for level, head, stride in list(zip(self.levels, self.heads, STRIDES, strict=True))[:level_count]:
            cells = level(cells)
            maps.append(F.avg_pool2d(head(cells), PATCH // stride))
        return maps


CONTRAST_FLOOR = 0.03
"""Added to an image's deviation of brightness, in units of full brightness: a blank image stays blank."""


def normalise(pictures: torch.Tensor) -> torch.Tensor:
    """Take away each image's mean brightness and divide by its deviation: light and exposure say nothing of a part.

    Args:
        pictures: (N, 3, H, W) in [0, 1].
    """
    brightness = pictures.mean(dim=1, keepdim=True)
    mean = brightness.mean(dim=(2, 3), keepdim=True)
    deviation = brightness.std(dim=(2, 3), keepdim=True, correction=0)
    return (pictures - mean) / (deviation + CONTRAST_FLOOR)
