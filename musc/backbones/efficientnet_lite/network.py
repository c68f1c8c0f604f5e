"""EfficientNet-Lite in plain torch: a stem, seven stages of inverted residuals, and a head.

The design is that of TensorFlow's EfficientNet-Lite: ReLU6, no squeeze and excitation, stem and head of one width.
Modules are named as timm names them, and outputs equal timm's bit by bit.
"""

from math import ceil

import torch
import torch.nn.functional as F
from torch import nn

from musc.backbones.efficientnet_lite.spec import HEAD_WIDTH, STEM_WIDTH, Stage, stages_of

EPSILON = 1e-3
"""Added to the variance by batch normalisation, as in TensorFlow."""


class Convolution(nn.Conv2d):
    """A convolution without bias that pads as TensorFlow does: ⌈side / stride⌉ outputs, the odd pixel at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.stride[0] > 1:
            x = F.pad(x, (*self._margins(x.shape[3]), *self._margins(x.shape[2])))
        return super().forward(x)

    def _margins(self, side: int) -> tuple[int, int]:
        missing = max(0, (ceil(side / self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - side)
        return missing // 2, missing - missing // 2


class Block(nn.Sequential):
    """An inverted residual: widen (unless that is by 1), filter each channel by itself, project; add the input."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = inputs * stage.expansion
        steps = {
            "conv_pw": Convolution(inputs, wide, 1),
            "conv_dw": Convolution(wide, wide, stage.kernel, stride, groups=wide),
            "conv_pwl": Convolution(wide, stage.width, 1),
        }
        if stage.expansion == 1:
            steps = {"conv_dw": steps["conv_dw"], "conv_pw": steps["conv_pwl"]}
        for number, (name, step) in enumerate(steps.items(), start=1):
            self.add_module(name, step)
            self.add_module(f"bn{number}", nn.BatchNorm2d(step.out_channels, EPSILON))
            if number < len(steps):
                self.add_module(f"act{number}", nn.ReLU6(inplace=True))
        self.is_residual = stride == 1 and inputs == stage.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + x if self.is_residual else super().forward(x)


class EfficientNetLite(nn.Module):
    """A network without its classifier: images (N, 3, H, W) -> embeddings (N, 1280), maps of all levels."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.conv_stem, self.bn1 = Convolution(3, STEM_WIDTH, 3, 2), nn.BatchNorm2d(STEM_WIDTH, EPSILON)
        self.blocks, width = nn.Sequential(), STEM_WIDTH
        for stage in stages_of(name):
            blocks = [Block(width, stage, stage.stride)]
            blocks += [Block(stage.width, stage, 1) for _ in range(stage.depth - 1)]
            self.blocks.append(nn.Sequential(*blocks))
            width = stage.width
        self.conv_head, self.bn2 = Convolution(width, HEAD_WIDTH, 1), nn.BatchNorm2d(HEAD_WIDTH, EPSILON)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        maps = [F.relu6(self.bn1(self.conv_stem(x)))]
        for stage in self.blocks:
            maps.append(stage(maps[-1]))
        head = F.relu6(self.bn2(self.conv_head(maps[-1])))
        return head.contiguous().mean((2, 3)), maps  # summed in one order, whatever the memory format
