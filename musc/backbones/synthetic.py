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
from musc.backbones.catalogue import SYNTHETIC_NAME as NAME
from musc.backbones.pyramid import PATCH, STRIDES, TOKEN_WIDTH, PyramidEncoder, normalise
from musc.backbones.texture import preprocess

PACKAGED_WEIGHTS = Path(__file__).with_name("synthetic-conv.safetensors")

BUILT_IN = "built-in"
"""What a specification calls the packaged weights, wherever the package lies."""

DEFAULT_SIDE = 256
"""Height and width in pixels unless told otherwise."""

COARSEST = max(STRIDES)
"""Sides must be multiples of this, so that every level is a whole number of cells."""

SMALLEST_SIDE = 2 * COARSEST
"""Pixels; the coarsest level needs two cells to be mirrored at the border."""

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
        image_size: pixels to which images are resized, one side or (height, width), multiples of 16; None is 256.
        layers: pyramid levels to take, each 0 to 2 (strides 4, 8 and 16); None is the finest alone.
        quick_gelu: None; there is no such activation.
        position_antialias: False; there is no position embedding.

    Raises:
        ValueError: naming the first argument that does not fit, with what would.
        FileNotFoundError: if `weights` is the path of no file.
    """
    if not accepts(name):
        raise ValueError(f"name must be {NAME!r} for the built-in network, got {name!r}; choose another backbone")
    if quick_gelu is not None:
        raise ValueError(f"quick_gelu must be None for the backbone {NAME}, got {quick_gelu}; leave it out")
    if position_antialias:
        raise ValueError(f"position_antialias must be False for the backbone {NAME}, got True; leave it out")
    height, width = choose_image_size(image_size)
    levels = choose_levels(layers)
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


def choose_image_size(image_size: int | tuple[int, int] | None) -> tuple[int, int]:
    """Height and width in pixels, both multiples of the coarsest stride.

    Raises:
        ValueError: if a side is not a multiple of 16 of at least 32, naming the two nearest that are.
    """
    if image_size is None:
        return DEFAULT_SIDE, DEFAULT_SIDE
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2:
        raise ValueError(f"image_size must be one side or (height, width), got {image_size}; give one or two numbers")
    for side in sides:
        if side < SMALLEST_SIDE or side % COARSEST:
            below = max(SMALLEST_SIDE, side // COARSEST * COARSEST)
            raise ValueError(
                f"image_size must be a multiple of {COARSEST} of at least {SMALLEST_SIDE} for the backbone {NAME}, "
                f"got {side}; use {below} or {below + COARSEST}"
            )
    return sides[0], sides[1]


def choose_levels(layers: tuple[int, ...] | None) -> tuple[int, ...]:
    """The pyramid levels to take, in the order given.

    Raises:
        ValueError: if none is given, one is given twice or one is not on offer.
    """
    if layers is None:
        return DEFAULT_LEVELS
    if not layers:
        raise ValueError(f"layers must name at least one level, got none; choose from 0 to {LEVEL_COUNT - 1}")
    if len(set(layers)) != len(layers):
        raise ValueError(f"layers must differ from each other, got {tuple(layers)}; name each once")
    if unknown := [layer for layer in layers if layer not in range(LEVEL_COUNT)]:
        raise ValueError(
            f"layers must be levels 0 to {LEVEL_COUNT - 1} of the backbone {NAME}, got {unknown}; leave these out"
        )
    return tuple(layers)


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
