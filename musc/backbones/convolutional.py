"""Convolutional networks through timm, as `timm:<model>`.

A level is the output of a stage of the network: blocks of one stride and width. Levels keep grids and widths of their
own; those of stride 8 and more are taken by default. Class tokens are the embedding its classifier sees.
"""

import functools
from collections.abc import Sequence
from inspect import signature
from typing import Any

import timm
import torch
from PIL import Image

from musc.backbones import timm_models
from musc.backbones import weights as weight_files
from musc.backbones.backbone import Backbone
from musc.backbones.feature_options import BackboneOptions, require_no_transformer_options
from musc.backbones.levels import features_of_levels
from musc.backbones.pil_images import Preprocess
from musc.backbones.sizes_and_layers import CONVOLUTIONAL_SIZE, coarse_levels, resolve_image_size, resolve_layers
from musc.layers import BackboneSpec, Layer

PROBE_SIDE = 256
"""Pixels at which strides are read off the levels' rows."""


def accepts(name: str) -> bool:
    """Whether this is `timm:` and a model timm knows."""
    return timm_models.is_known(name)


def resolve(name: str, options: BackboneOptions) -> BackboneSpec:
    """Settle everything that decides the features of a convolutional backbone, without loading weights.

    Args:
        name: a name `accepts` says yes to.
        options: no weights means the tag that belongs to the name; an image is whole patches of the coarsest level.

    Raises:
        ValueError: if the tag, the size or the levels do not fit, or the model has no levels.
        FileNotFoundError: if the weight file does not exist.
    """
    require_no_transformer_options(name, options)
    strides = read_strides(name)
    levels = resolve_layers(options.layers, len(strides), coarse_levels(strides))
    size = resolve_image_size(options.image_size, (strides[levels[-1]],) * 2, CONVOLUTIONAL_SIZE)
    weights, digest = timm_models.identify(name, options.weights)
    maps, embedding = shapes(name, size, levels)
    return BackboneSpec(
        name=name,
        weights=weights,
        weights_digest=digest,
        image_size=size,
        layers=tuple(
            Layer(level, (rows, columns), width) for level, (width, rows, columns) in zip(levels, maps, strict=True)
        ),
        embedding_width=embedding,
    )


@functools.cache
def read_strides(name: str) -> tuple[int, ...]:
    """Pixels per patch of each level of a network of timm, finest first.

    Raises:
        ValueError: if timm gives no levels of it.
    """
    model = timm_models.sketch(name)
    if not hasattr(model, "forward_intermediates") or not getattr(model, "feature_info", None):
        raise ValueError(
            f"backbone must be a network whose levels timm gives, got {name!r} ({type(model).__name__}); "
            "choose a convolutional network such as timm:resnet18"
        )
    if not has_all_stages(model):
        return tuple(info["reduction"] for info in model.feature_info)
    maps = model.forward_intermediates(
        torch.empty(1, 3, PROBE_SIDE, PROBE_SIDE, device="meta"), intermediates_only=True, extra_blocks=True
    )
    return tuple(round(PROBE_SIDE / level.shape[2]) for level in maps)


def has_all_stages(model: Any) -> bool:
    """Whether timm gives the output of every stage of a network, not only of the last one of each stride."""
    return "extra_blocks" in signature(model.forward_intermediates).parameters


@functools.cache
def shapes(name: str, size: tuple[int, int], levels: tuple[int, ...]) -> tuple[list[tuple[int, int, int]], int]:
    """Width, rows and columns of each level at an image size, and the width of the embedding.

    Raises:
        ValueError: if the network does not take images of this size.
    """
    try:
        features, maps = forward(timm_models.sketch(name), levels, torch.empty(1, 3, *size, device="meta"))
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"backbone must give maps of its levels for images of {size[0]} x {size[1]} pixels, got {name!r} "
            f"({error}); choose another image size, or a convolutional network such as timm:resnet18"
        ) from error
    return [(level.shape[1], level.shape[2], level.shape[3]) for level in maps], features.shape[1]


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """Load a resolved convolutional backbone, float32, in evaluation mode.

    Raises:
        WeightsUnavailableError: if published weights can neither be found on this machine nor fetched.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights do not fit the model, or the file is not the one that was resolved.
    """
    model: Any = timm.create_model(timm_models.architecture_of(spec.name), num_classes=0)
    weight_files.load_exactly(model, without_classifier(timm_models.read_weights(spec), spec), spec.name)
    model = model.eval().requires_grad_(False).to(device)
    levels = [layer.number for layer in spec.layers]
    return Backbone(
        spec=spec,
        device=device,
        preprocess=make_preprocess(spec),
        forward=functools.partial(features_of_levels, network=functools.partial(forward, model, levels)),
    )


def without_classifier(state: dict[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """A state dict without the last layer, whatever classes it was trained to tell apart."""
    classifier = timm_models.source_of(spec).classifier
    names = (classifier,) if isinstance(classifier, str) else tuple(classifier or ())
    return {name: tensor for name, tensor in state.items() if not name.startswith(tuple(f"{own}." for own in names))}


def make_preprocess(spec: BackboneSpec) -> Preprocess:
    """PIL RGB image -> float32 (3, H, W): aspect not kept, then what timm notes of the weights."""
    source = timm_models.source_of(spec)
    return Preprocess(spec.image_size, Image.Resampling[source.interpolation.upper()], source.mean, source.std)


def forward(model: Any, levels: Sequence[int], images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Image embeddings (N, D) and maps (N, C, rows, columns) of the chosen levels."""
    every = {"extra_blocks": True} if has_all_stages(model) else {}
    final, maps = model.forward_intermediates(images, indices=list(levels), output_fmt="NCHW", **every)
    return model.forward_head(final, pre_logits=True), maps
