"""timm's names for the tensors of the installed weights.

The packages hold a state dict made by an implementation that numbers blocks through, where timm, and the network here,
count stages and the blocks of each. The tensors are alike.
"""

import re
from collections.abc import Mapping, Sequence

import torch

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


def in_names_of_timm(state: Mapping[str, torch.Tensor], depths: Sequence[int]) -> dict[str, torch.Tensor]:
    """A state dict under timm's names; one that is not of the packaged naming is returned as it is.

    Args:
        state: tensors by name.
        depths: blocks of each stage.
    """
    if MARK not in state:
        return dict(state)
    block_names = [f"{stage}.{block}" for stage, depth in enumerate(depths) for block in range(depth)]
    expanded = {match[1] for name in state if (match := INSIDE.fullmatch(name)) and match[2] == "_expand_conv"}
    return {rename_tensor(name, block_names, expanded): tensor for name, tensor in state.items()}


def rename_tensor(name: str, block_names: Sequence[str], expanded: set[str]) -> str:
    """timm's name of one tensor; a name that follows no rule is kept, and loading then refuses it.

    Args:
        name: such as `_blocks.3._bn0.weight`.
        block_names: timm's stage and block of each block.
        expanded: numbers of the blocks with expansion.

    >>> rename_tensor("_blocks.1._bn0.weight", ["0.0", "1.0"], {"1"}), rename_tensor("_fc.bias", [], set())
    ('blocks.1.0.bn1.weight', 'classifier.bias')
    """
    match = INSIDE.fullmatch(name)
    if match and int(match[1]) < len(block_names):
        layer = (INVERTED if match[1] in expanded else SEPARABLE).get(match[2])
        return f"blocks.{block_names[int(match[1])]}.{layer}.{match[3]}" if layer else name
    layer, _, tensor = name.partition(".")
    return f"{OUTSIDE[layer]}.{tensor}" if layer in OUTSIDE else name
