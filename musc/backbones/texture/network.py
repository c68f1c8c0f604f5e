"""The built-in `texture` backbone: a fixed multi-scale filter bank, without weights.

For trying out and for tests: nothing is downloaded, no GPU is needed, and every machine gives the same features up to
rounding. It sees local contrast, orientation, spots and colour, and so finds blemishes on textured surfaces whose
position and lighting vary little; it knows nothing of objects and is no match for CLIP.
"""

import functools
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from musc.backbones.backbone import Backbone, Features
from musc.backbones.texture.filters import FilterBank, apply_filters, halve, make_filter_bank
from musc.backbones.texture.spec import NAME, ORIENTATION_COUNT, PATCH, VERSION
from musc.layers import BackboneSpec

LUMA_AND_OPPONENTS = ((0.299, 0.587, 0.114), (1.0, -1.0, 0.0), (0.5, 0.5, -1.0))
"""Rows give luma, red minus green, yellow minus blue from RGB."""

CONTRAST_FLOOR = 0.02
"""Filter answer, in units of full brightness, where the logarithm bends: about the noise of a camera."""

MEAN_WEIGHTS = (1.5, 6.0, 6.0)
"""What mean luma and the two mean opponent colours count beside the logarithms of filter answers."""

ANCHOR = 6.0
"""Value of the constant last channel. Without it a patch of average contrast would lie near zero after layer
normalisation, and scaling it to unit length would turn its noise into direction."""


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """The backbone of a specification, ready on a device.

    Raises:
        ValueError: if the specification was made by a release whose features differ.
    """
    if spec.weights_digest != VERSION:
        raise ValueError(
            f"weights_digest must be {VERSION!r} in this release, got {spec.weights_digest!r}; resolve {NAME} again"
        )
    bank = FilterBank(*(filters.to(device) for filters in make_filter_bank()))
    return Backbone(
        spec=spec,
        device=device,
        preprocess=functools.partial(preprocess, image_size=spec.image_size),
        forward=functools.partial(describe_images, bank=bank, layers=[layer.number for layer in spec.layers]),
    )


def preprocess(image: Image.Image, image_size: tuple[int, int]) -> torch.Tensor:
    """Resize an RGB image bicubically with antialias, aspect not kept: float32 (3, height, width) in [0, 1]."""
    height, width = image_size
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).to(torch.float32) / 255


def describe_images(pictures: torch.Tensor, bank: FilterBank, layers: Sequence[int]) -> Features:
    """Patch tokens per layer and class tokens of pictures, float32 (N, 3, H, W) in [0, 1]; H and W multiples of 8.

    One picture at a time: its levels fit the CPU's cache, and the batch cannot change a digit of the features.
    """
    # Filters that sum to 0 need all their digits where a picture is bright and flat; TF32 would drop half of them.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        described = [describe_image(picture, bank, layers) for picture in pictures.split(1)]
    patch_tokens = [torch.cat(of_layer) for of_layer in zip(*described, strict=True)]
    return Features(patch_tokens, embed_images(patch_tokens))


def describe_image(picture: torch.Tensor, bank: FilterBank, layers: Sequence[int]) -> list[torch.Tensor]:
    """Patch tokens (1, P, C) of one picture (1, 3, H, W) at each of the given scales."""
    level = torch.einsum("oc,nchw->nohw", picture.new_tensor(LUMA_AND_OPPONENTS), picture)
    tokens: dict[int, torch.Tensor] = {}
    for scale in range(max(layers) + 1):
        level = halve(level) if scale else level
        if scale in layers:
            tokens[scale] = describe_level(level, bank, PATCH >> scale).flatten(2).transpose(1, 2)
    return [tokens[scale] for scale in layers]


def describe_level(level: torch.Tensor, bank: FilterBank, cell: int) -> torch.Tensor:
    """Channels of every patch at one pyramid level.

    Args:
        level: luma and opponent colours, (N, 3, rows · cell, columns · cell).
        bank: the filters.
        cell: pixels per patch at this level.

    Returns:
        (N, C, rows, columns), in the order `TOKEN_WIDTH` lists.
    """
    waves = apply_filters(level[:, :1], torch.cat([bank.even, bank.odd]))[:, 0]
    oriented = compress(torch.hypot(waves[:, :ORIENTATION_COUNT], waves[:, ORIENTATION_COUNT:]))
    spots = apply_filters(level, bank.spot)[:, :, 0]
    bright, dark = compress(spots.clamp(min=0)), compress((-spots).clamp(min=0))
    means = apply_filters(level, bank.smooth)[:, :, 0] * level.new_tensor(MEAN_WEIGHTS)[:, None, None]
    averaged = F.avg_pool2d(torch.cat([oriented, bright[:, :1], dark[:, :1], means], dim=1), cell)
    largest = F.max_pool2d(torch.cat([oriented, bright, dark], dim=1), cell)
    anchor = torch.full_like(averaged[:, :1], ANCHOR)
    return torch.cat([averaged, largest, anchor], dim=1)


def compress(answers: torch.Tensor) -> torch.Tensor:
    """Logarithm of filter answers ≥ 0, linear below the noise: a contrast twice as strong counts as one step more."""
    return torch.log1p(answers / CONTRAST_FLOOR)


def embed_images(patch_tokens: list[torch.Tensor]) -> torch.Tensor:
    """Class tokens: how far the channels of an image spread, rather than where they lie.

    A defect widens the spread, while lighting moves the means of all images about. Every entry is ≥ 0, so RsCIN's
    similarities are too; a constant entry gives an image without any contrast a direction.

    Args:
        patch_tokens: per layer (N, P, C), the last channel constant.

    Returns:
        (N, D), rows of unit length: per layer deviation, highest above mean and lowest below mean of each channel.
    """
    spreads = [torch.ones_like(patch_tokens[0][:, 0, :1])]
    for tokens in patch_tokens:
        channels = tokens[..., :-1]
        mean = channels.mean(dim=1)
        spreads += [channels.std(dim=1, correction=0), channels.amax(dim=1) - mean, mean - channels.amin(dim=1)]
    return F.normalize(torch.cat(spreads, dim=1), dim=1)
