"""The built-in `synthetic-conv` backbone: a small convolutional network trained on generated textures only.

Its weights lie in the package, so it needs no network and no licence of anyone's pictures. `synthetic-conv.md` beside
them says how they were made, what they reach and where they end.
"""

import functools
from pathlib import Path

import torch
import torch.nn.functional as F

from musc.backbones import weights as weight_files
from musc.backbones.base import Backbone, BackboneSpec, Features
from musc.backbones.builtin import DEFAULT_SIZE, PATCH, preprocess, refuse_transformer_options
from musc.backbones.catalogue import SYNTHETIC_NAME as NAME
from musc.backbones.geometry import resolve_image_size, resolve_layers
from musc.backbones.pyramid import STRIDES, TOKEN_WIDTH, PyramidEncoder, normalise

PACKAGED_WEIGHTS = Path(__file__).with_name("synthetic-conv.safetensors")

BUILT_IN = "built-in"
"""What a specification calls the packaged weights, wherever the package lies."""

FEWEST_PATCHES = 2
"""Along either side; the coarser level needs two cells to be mirrored at the border."""

LEVEL_COUNT = len(STRIDES)

DEFAULT_LEVELS = (0,)
"""Levels taken unless told otherwise: the finest alone did best on generated lots (see the card)."""


def accepts(name: str) -> bool:
    """Whether the name means this backbone."""
    return name == NAME


def resolve(
    name: str,
    *,
    weights: str | None = None,
    image_size: int | tuple[int, int] | None = None,
    layers: tuple[int, ...] | None = None,
    quick_gelu: bool | None = None,
    position_antialias: bool = False,
) -> BackboneSpec:
    """The specification that the user's words mean.

    Args:
        name: `synthetic-conv`.
        weights: None for the packaged ones, or the path of a file that `python -m training.export` wrote.
        image_size: pixels to which images are resized, one side or (height, width), multiples of 8; None is 256.
        layers: pyramid levels to take, 0 (stride 4) or 1 (stride 8), growing; None is the finer alone.
        quick_gelu: None; there is no such activation.
        position_antialias: False; there is no position embedding.

    Raises:
        ValueError: naming the first argument that does not fit, with what would.
        FileNotFoundError: if `weights` is the path of no file.
    """
    if not accepts(name):
        raise ValueError(f"name must be {NAME!r} for the built-in network, got {name!r}; choose another backbone")
    refuse_transformer_options(NAME, quick_gelu, position_antialias)
    height, width = resolve_image_size(image_size, (PATCH, PATCH), DEFAULT_SIZE, FEWEST_PATCHES)
    levels = resolve_layers(layers, LEVEL_COUNT, DEFAULT_LEVELS)
    path = PACKAGED_WEIGHTS if weights is None else weight_files.find_file(weights)
    return BackboneSpec(
        name=NAME,
        weights=BUILT_IN if weights is None else str(path),
        weights_digest=weight_files.file_digest(path),
        image_size=(height, width),
        layers=levels,
        grid=(height // PATCH, width // PATCH),
        width=TOKEN_WIDTH,
        embedding_width=TOKEN_WIDTH * len(levels),
    )


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """The backbone of a specification, ready on a device.

    Raises:
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights are not those the specification was made for, or do not fit the network.
    """
    path = PACKAGED_WEIGHTS if spec.weights == BUILT_IN else Path(spec.weights)
    network = PyramidEncoder()
    weight_files.load_exactly(network, weight_files.read_verified(path, spec.weights_digest), NAME)
    network.eval().requires_grad_(False).to(device)
    return Backbone(
        spec=spec,
        device=device,
        preprocess=functools.partial(preprocess, image_size=spec.image_size),
        forward=functools.partial(extract_features, network=network, levels=spec.layers),
    )


def extract_features(pictures: torch.Tensor, network: PyramidEncoder, levels: tuple[int, ...]) -> Features:
    """Patch tokens per level and class tokens of pictures, float32 (N, 3, H, W) in [0, 1].

    One picture at a time: the batch cannot change a digit of the features.
    """
    # TF32 would make features differ between GPUs by more than rounding.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        described = [network(normalise(picture), max(levels) + 1) for picture in pictures.split(1)]
    of_levels = [torch.cat(maps).flatten(2).transpose(1, 2) for maps in zip(*described, strict=True)]
    patch_tokens = [of_levels[level] for level in levels]
    return Features(patch_tokens, embed_images(patch_tokens))


def embed_images(patch_tokens: list[torch.Tensor]) -> torch.Tensor:
    """Class tokens: the mean of an image's tokens at each level.

    Args:
        patch_tokens: per level (N, P, C).

    Returns:
        (N, C · levels), rows of unit length.
    """
    return F.normalize(torch.cat([tokens.mean(dim=1) for tokens in patch_tokens], dim=1), dim=1)
