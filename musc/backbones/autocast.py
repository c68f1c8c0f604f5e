"""In which precision a backbone computes: float32, or automatic mixed precision.

The published numbers come from float16 autocast on a GPU, so that is what `auto` means there. On a CPU `auto` is
float32: half precision gains nothing there. Features differ, by about the last digits float16 has, so the precision is
part of a specification and thereby of the features' identity.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

import torch

from musc.backbones.base import Backbone, Features
from musc.backbones.catalogue import TEXTURE_NAME

Precision = Literal["float32", "float16", "bfloat16"]

DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
AUTO = "auto"


def choose_precision(precision: str, name: str, device: torch.device) -> Precision:
    """The precision a user's word means for a backbone on a device.

    Raises:
        ValueError: if there is no such precision, or the built-in filters, which need float32, are given another.
    """
    if precision not in (AUTO, *DTYPES):
        raise ValueError(f"precision must be one of {', '.join((AUTO, *DTYPES))}, got {precision!r}; leave it out")
    if name == TEXTURE_NAME:
        if precision in ("float16", "bfloat16"):
            raise ValueError(f"precision must be float32 for the backbone {name}, got {precision}; leave it out")
        return "float32"
    if precision == AUTO:
        return "float16" if device.type == "cuda" else "float32"
    return cast(Precision, precision)


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
