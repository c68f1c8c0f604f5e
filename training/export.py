"""Make the packaged weights of a checkpoint: `python -m training.export runs/a/checkpoint.pt weights.safetensors`."""

import argparse
from pathlib import Path

import safetensors.torch
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from musc.backbones.pyramid import PyramidEncoder


def export(checkpoint: Path, target: Path) -> int:
    """Fold the averaged weights' batch normalisation into the convolutions and write float16; returns the bytes."""
    averaged = torch.load(checkpoint, weights_only=True)["average"]
    trained = PyramidEncoder(trainable=True)
    trained.load_state_dict({name.removeprefix("module."): t for name, t in averaged.items() if name != "n_averaged"})
    state = {name: tensor.to(torch.float16).contiguous() for name, tensor in fold(trained).state_dict().items()}
    safetensors.torch.save_file(state, target)
    return target.stat().st_size


def fold(trained: PyramidEncoder) -> PyramidEncoder:
    """The same network without batch normalisation, in evaluation mode; answers are equal up to rounding."""
    plain = PyramidEncoder().eval()
    sources = dict(trained.named_modules())
    for name, module in plain.named_modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            source = sources[name]
            assert isinstance(source, nn.Conv2d)
            weight, bias = source.weight, source.bias
            parent, _, last = name.rpartition(".")
            if source.bias is None:
                norm = sources[f"{parent}.{int(last) + 1}"]
                assert isinstance(norm, nn.BatchNorm2d)
                assert norm.running_mean is not None
                assert norm.running_var is not None
                weight, bias = fuse_conv_bn_weights(
                    weight, None, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
                )
            assert bias is not None
            module.weight.data.copy_(weight.detach())
            module.bias.data.copy_(bias.detach())
    return plain


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    print(f"{export(options.checkpoint, options.target)} bytes")


if __name__ == "__main__":
    main()
