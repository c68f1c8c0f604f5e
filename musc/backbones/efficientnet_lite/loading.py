"""EfficientNet-Lite loaded: weights into the network, and what it makes of an image."""

import functools
from pathlib import Path

import torch
from PIL import Image

from musc.backbones import weights as weight_files
from musc.backbones.backbone import Backbone
from musc.backbones.efficientnet_lite.network import EfficientNetLite
from musc.backbones.efficientnet_lite.spec import package_of, packaged_weights, stages_of
from musc.backbones.efficientnet_lite.tensor_names import in_names_of_timm
from musc.backbones.levels import features_of_levels
from musc.backbones.pil_images import Preprocess
from musc.layers import BackboneSpec

MEAN, DEVIATION = (127 / 255,) * 3, (128 / 255,) * 3
"""Pixels are fed as (value − 127) / 128, all channels alike, as in training."""

CLASSIFIER = "classifier."


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """Load a resolved backbone, float32, in evaluation mode.

    Raises:
        WeightsUnavailableError: if weights can neither be found on this machine nor fetched.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights do not fit the network, or the file is not the one that was resolved.
    """
    with torch.device("meta"):  # no memory, and no random numbers drawn for weights that are replaced
        model = EfficientNetLite(spec.name)
    state = in_names_of_timm(read_weights(spec), [stage.depth for stage in stages_of(spec.name)])
    without_classifier = {name: tensor for name, tensor in state.items() if not name.startswith(CLASSIFIER)}
    weight_files.load_exactly(model, without_classifier, spec.name, assign=True)
    model = model.eval().requires_grad_(False).to(device).to(memory_format=memory_format_of(device))
    levels = [layer.number for layer in spec.layers]
    return Backbone(
        spec=spec,
        device=device,
        preprocess=Preprocess(spec.image_size, Image.Resampling.BICUBIC, MEAN, DEVIATION),
        forward=functools.partial(features_of_levels, network=functools.partial(forward, model, levels)),
    )


def memory_format_of(device: torch.device) -> torch.memory_format:
    """Channels last on a CPU, where convolutions take two thirds of the time so, to the same last digit."""
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


def forward(
    model: EfficientNetLite, levels: list[int], images: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Image embeddings (N, D) and maps (N, C, rows, columns) of the chosen levels."""
    embeddings, maps = model(images.contiguous(memory_format=memory_format_of(images.device)))
    return embeddings, [maps[level] for level in levels]


def read_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The state dict a specification names, classifier included, under the names of its file."""
    if not spec.weights_digest.startswith(weight_files.FILE_DIGEST_PREFIX):
        from musc.backbones import timm_models

        return timm_models.read_weights(spec)
    is_packaged = spec.weights == package_of(spec.name)
    path = packaged_weights(spec.name) if is_packaged else Path(spec.weights)
    return weight_files.read_verified(path, spec.weights_digest)
