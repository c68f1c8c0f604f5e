"""DINO, DINOv2 and DINOv3 through timm, and any other timm ViT with a class token as `timm:<model>`.

Unlike CLIP's, patch tokens are taken *after* the model's final norm. Position embeddings are resized without
antialiasing, and for DINO and DINOv2 without registers by Meta's own rule; see `positions`. DINOv3 has rotary
embeddings: nothing to resize.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import timm
import torch
import torch.nn.functional as F
from PIL import Image
from timm.models import eva, vision_transformer

from musc.backbone_families import DINO_MODELS
from musc.backbones import timm_models
from musc.backbones import weights as weight_files
from musc.backbones.backbone import Backbone, Features
from musc.backbones.feature_options import BackboneOptions
from musc.backbones.pil_images import Preprocess
from musc.backbones.sizes_and_layers import alike, resolve_image_size, resolve_layers
from musc.backbones.timm_models import VisionTransformer
from musc.backbones.vision_transformers.positions import resize_positions
from musc.layers import BackboneSpec

POSITIONS = "pos_embed"
KERNEL = "patch_embed.proj.weight"
META_POSITION_OFFSET = 0.1
"""Meta's published code adds this to the grid when it scales position embeddings of DINO and DINOv2."""


@dataclass(frozen=True)
class Design:
    """What a specification needs to know of a timm model."""

    patch: tuple[int, int]
    """Patch height and width in pixels."""
    depth: int
    """Number of transformer blocks."""
    width: int
    """Length of a token."""


def accepts(name: str) -> bool:
    """Whether this is a DINO model's name, or `timm:` and a model timm knows."""
    return name in DINO_MODELS or timm_models.is_known(name)


def resolve(name: str, options: BackboneOptions) -> BackboneSpec:
    """Settle everything that decides the features of a timm backbone, without loading weights.

    Args:
        name: a name `accepts` says yes to.
        options: no weights means the tag that belongs to the name; `quick_gelu` must be None.

    Raises:
        ValueError: if the tag, the size or the layers do not fit, or the model is not a ViT with a class token.
        FileNotFoundError: if the weight file does not exist.
    """
    if options.quick_gelu is not None:
        raise ValueError(
            f"quick_gelu must be left out for {name}, got {options.quick_gelu}; only CLIP backbones have it"
        )
    design = read_design(name)
    size = resolve_image_size(options.image_size, design.patch)
    weights, digest = timm_models.identify(name, options.weights)
    return BackboneSpec(
        name=name,
        weights=weights,
        weights_digest=digest,
        image_size=size,
        layers=alike(
            resolve_layers(options.layers, design.depth),
            (size[0] // design.patch[0], size[1] // design.patch[1]),
            design.width,
        ),
        embedding_width=design.width,
        position_antialias=options.position_antialias,
    )


@functools.cache
def read_design(name: str) -> Design:
    """The design of a model timm can build; see `plain_sketch` for what is refused."""
    model = plain_sketch(name)
    return Design(patch=model.patch_embed.patch_size, depth=len(model.blocks), width=model.embed_dim)


def plain_sketch(name: str) -> VisionTransformer:
    """The model at its own image size, with shapes but no memory for its weights.

    Raises:
        ValueError: if it has no class token, or no final norm over all tokens.
    """
    model: VisionTransformer = timm_models.sketch(name)
    if model.cls_token is None:
        raise ValueError(f"backbone must have a class token, got {name!r} without; choose another `vit_` model")
    if isinstance(model.norm, torch.nn.Identity):
        raise ValueError(
            f"backbone must norm its tokens before pooling them, got {name!r}, which norms the mean; "
            "choose another `vit_` model"
        )
    return model


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """Load a resolved timm backbone, float32, in evaluation mode.

    Raises:
        WeightsUnavailableError: if published weights can neither be found on this machine nor fetched.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights do not fit the model, or the file is not the one that was resolved.
    """
    state = adapt(timm_models.read_weights(spec), spec)
    model: Any = timm.create_model(timm_models.architecture_of(spec.name), num_classes=0, img_size=spec.image_size)
    weight_files.load_exactly(model, state, spec.name)
    model = model.eval().requires_grad_(False).to(device)
    return Backbone(
        spec=spec,
        device=device,
        preprocess=make_preprocess(spec),
        forward=functools.partial(extract_features, model=model, layers=[layer.number for layer in spec.layers]),
    )


def adapt(state: dict[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """Give a state dict timm's names (Meta's files have others), no classifier, and the specification's grid."""
    model = plain_sketch(spec.name)
    kernel = next((tensor for name, tensor in state.items() if name.endswith(KERNEL)), None)
    if kernel is None or tuple(kernel.shape[-2:]) != tuple(model.patch_embed.patch_size):
        return state  # timm would resize the patches; such a file is another model's, and loading it says so
    prefix_count = 0 if model.no_embed_class else model.num_prefix_tokens
    has_positions = model.pos_embed is not None
    model.pos_embed = None  # so that timm leaves the position embedding as it is
    library = eva if isinstance(model, eva.Eva) else vision_transformer
    state = library.checkpoint_filter_fn(_drop_zero_biases(state), model)
    state = {name: tensor for name, tensor in state.items() if not name.startswith("head.")}
    if has_positions and POSITIONS in state:
        state[POSITIONS] = resize_positions(
            state[POSITIONS][0],
            prefix_count=prefix_count,
            trained_grid=model.patch_embed.grid_size,
            grid=spec.grid,
            antialias=spec.position_antialias,
            offset=position_offset(spec.name),
        )[None]
    return state


def _drop_zero_biases(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Meta's DINOv3 files carry biases that training left at zero; timm's models have none and it would print so."""
    if "storage_tokens" not in state:
        return dict(state)
    return {name: tensor for name, tensor in state.items() if not name.endswith("qkv.bias") or tensor.any()}


def position_offset(name: str) -> float:
    """What Meta's code adds to the grid when it scales this model's position embedding; see `resize_positions`."""
    is_metas_rule = name.startswith(("dino_", "dinov2_")) and not name.endswith("_reg")
    return META_POSITION_OFFSET if is_metas_rule else 0.0


def make_preprocess(spec: BackboneSpec) -> Preprocess:
    """PIL RGB image -> float32 (3, H, W): bilinear, aspect not kept, then the weights' mean and std (ImageNet's).

    Weights from a file are taken to want the mean and std of the name's own tag.
    """
    source = timm_models.source_of(spec)
    return Preprocess(spec.image_size, Image.Resampling.BILINEAR, source.mean, source.std)


def extract_features(images: torch.Tensor, *, model: VisionTransformer, layers: Sequence[int]) -> Features:
    """Patch tokens of the chosen blocks and the class token, all after the final norm.

    Args:
        images: float32 (N, 3, H, W) on the model's device.
        model: the vision transformer.
        layers: 0-based block numbers.

    Returns:
        Patch tokens (N, P, C) per layer, class and register tokens removed, and class tokens (N, C) of unit length.
    """
    output: Any = model.forward_intermediates(images, indices=list(layers), norm=True, output_fmt="NLC")
    final, patch_tokens = output
    return Features(patch_tokens, F.normalize(final[:, 0], dim=-1))
