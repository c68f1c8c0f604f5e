"""Convolutional networks through timm, as `timm:<model>`; `musc.backbones.lite0` builds its own here too.

A level is the output of a stage of the network: blocks of one stride and width. Levels keep grids and widths of their
own; those of stride 8 and more are taken by default. Class tokens are the embedding its classifier sees.
"""

import functools
from collections.abc import Sequence
from inspect import signature
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torchvision.transforms import Compose, InterpolationMode, Normalize, Resize, ToTensor

from musc.backbones import lite0, timm_models
from musc.backbones import weights as weight_files
from musc.backbones.base import Backbone, BackboneOptions, Features, require_no_transformer_options
from musc.backbones.catalogue import LITE0_NAME
from musc.backbones.geometry import CONVOLUTIONAL_SIZE, coarse_levels, resolve_image_size, resolve_layers
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
        features, maps = forward(timm_models.sketch(name), torch.empty(1, 3, *size, device="meta"), levels)
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
    weight_files.load_exactly(model, without_classifier(read_weights(spec), spec), spec.name)
    model = model.eval().requires_grad_(False).to(device)
    return Backbone(
        spec=spec,
        device=device,
        preprocess=make_preprocess(spec),
        forward=functools.partial(extract_features, model=model, levels=[layer.number for layer in spec.layers]),
    )


def read_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The state dict a specification names, under timm's names, classifier included."""
    if spec.name != LITE0_NAME:
        return timm_models.read_weights(spec)
    depths = [len(stage) for stage in timm_models.sketch(spec.name).blocks]
    if spec.weights == lite0.PACKAGE:
        state = weight_files.read_verified(lite0.packaged_weights(), spec.weights_digest)
    else:
        state = timm_models.read_weights(spec)
    return lite0.in_names_of_timm(state, depths)


def without_classifier(state: dict[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """A state dict without the last layer, whatever classes it was trained to tell apart."""
    classifier = timm_models.source_of(spec).classifier
    names = (classifier,) if isinstance(classifier, str) else tuple(classifier or ())
    return {name: tensor for name, tensor in state.items() if not name.startswith(tuple(f"{own}." for own in names))}


def make_preprocess(spec: BackboneSpec) -> Compose:
    """PIL RGB image -> float32 (3, H, W): aspect not kept, then the weights' mean and standard deviation.

    `efficientnet-lite0` takes (pixel − 127) / 128, bicubically resized; others what timm notes of their weights.
    """
    source = timm_models.source_of(spec)
    mean, deviation = (source.mean, source.std)
    if spec.name == LITE0_NAME:
        mean, deviation = (lite0.MEAN,) * 3, (lite0.DEVIATION,) * 3
    return Compose(
        [
            Resize(spec.image_size, interpolation=InterpolationMode(source.interpolation), antialias=True),
            ToTensor(),
            Normalize(mean, deviation),
        ]
    )


def extract_features(images: torch.Tensor, *, model: Any, levels: Sequence[int]) -> Features:
    """Patch tokens of the chosen levels and the image embedding.

    On a CPU one image at a time: that is no slower, and the batch cannot change a digit of the features.

    Args:
        images: float32 (N, 3, H, W) on the model's device.
        model: the network.
        levels: 0-based.

    Returns:
        Patch tokens (N, P, C) per level, each on its own grid, and class tokens (N, D) of unit length.
    """
    parts = [forward(model, part, levels) for part in images.split(1 if images.device.type == "cpu" else len(images))]
    of_levels = [torch.cat(maps).flatten(2).transpose(1, 2) for maps in zip(*(maps for _, maps in parts), strict=True)]
    return Features(of_levels, F.normalize(torch.cat([embedding for embedding, _ in parts]), dim=-1))


def forward(model: Any, images: torch.Tensor, levels: Sequence[int]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Image embeddings (N, D) and maps (N, C, rows, columns) of the chosen levels."""
    # TF32 would make features differ between GPUs by more than rounding.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        every = {"extra_blocks": True} if has_all_stages(model) else {}
        final, maps = model.forward_intermediates(images, indices=list(levels), output_fmt="NCHW", **every)
        return model.forward_head(final, pre_logits=True), maps
