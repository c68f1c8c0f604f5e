"""Backbones in half precision: automatic mixed precision, as `musc.backbones.feature_options` says when."""

from collections.abc import Callable
from dataclasses import replace

import torch

from musc.backbones.backbone import Backbone, Features

DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def in_its_precision(backbone: Backbone) -> Backbone:
    """The backbone with its forward pass in the precision of its specification; results are float32 in any case."""
    if backbone.spec.precision == "float32":
        return backbone
    dtype = DTYPES[backbone.spec.precision]
    return replace(backbone, forward=autocast(backbone.forward, backbone.device.type, dtype))


def autocast(
    forward: Callable[[torch.Tensor], Features], device_type: str, dtype: torch.dtype
) -> Callable[[torch.Tensor], Features]:
    """A forward pass under automatic mixed precision, its results widened to float32."""

    def cast_forward(pixels: torch.Tensor) -> Features:
        with torch.autocast(device_type, dtype=dtype):
            features = forward(pixels)
        return Features([tokens.float() for tokens in features.patch_tokens], features.class_tokens.float())

    return cast_forward
