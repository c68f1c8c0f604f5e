"""DINO, DINOv2 and DINOv3 through timm, and any other timm ViT with a class token as `timm:<model>`.

Unlike CLIP's, patch tokens are taken *after* the model's final norm. Position embeddings are resized without
antialiasing, and for DINO and DINOv2 without registers by Meta's own rule; see `musc.backbones.positions`. DINOv3 has
rotary embeddings: nothing to resize.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
import torch.nn.functional as F
from timm.models import PretrainedCfg, eva, vision_transformer
from torchvision.transforms import Compose, InterpolationMode, Normalize, Resize, ToTensor

from musc.backbones import weights as weight_files
from musc.backbones.base import Backbone, BackboneSpec, Features
from musc.backbones.catalogue import DINO_MODELS, TIMM_PREFIX
from musc.backbones.geometry import resolve_image_size, resolve_layers
from musc.backbones.hub import require_reachable
from musc.backbones.positions import resize_positions

DIGEST_PREFIX = "timm:"
HUB_FILES = ("model.safetensors", "pytorch_model.bin")
POSITIONS = "pos_embed"
KERNEL = "patch_embed.proj.weight"
META_POSITION_OFFSET = 0.1
"""Meta's published code adds this to the grid when it scales position embeddings of DINO and DINOv2."""

VisionTransformer = vision_transformer.VisionTransformer | eva.Eva


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
    if name in DINO_MODELS:
        return True
    architecture, _, tag = name.removeprefix(TIMM_PREFIX).partition(".")
    is_known = name.startswith(TIMM_PREFIX) and timm.is_model(architecture)
    return is_known and (not tag or tag in known_tags(architecture))


def resolve(
    name: str,
    *,
    weights: str | None,
    image_size: int | tuple[int, int] | None,
    layers: tuple[int, ...] | None,
    quick_gelu: bool | None,
    position_antialias: bool,
) -> BackboneSpec:
    """Settle everything that decides the features of a timm backbone, without loading weights.

    Args:
        name: a name `accepts` says yes to.
        weights: a timm tag, the path of a file, or None for the tag that belongs to the name.
        image_size: pixels of a square, (height, width), or None for the default.
        layers: 0-based block numbers, growing, or None for the ends of the four quarters.
        quick_gelu: only CLIP has this choice; must be None.
        position_antialias: whether to resize the position embedding as timm does.

    Raises:
        ValueError: if the tag, the size or the layers do not fit, or the model is not a ViT with a class token.
        FileNotFoundError: if the weight file does not exist.
    """
    if quick_gelu is not None:
        raise ValueError(f"quick_gelu must be left out for {name}, got {quick_gelu}; only CLIP backbones have it")
    design = read_design(name)
    size = resolve_image_size(image_size, design.patch)
    library = f"{DIGEST_PREFIX}{architecture_of(name)}."
    weights, digest = weight_files.identify(weights, functools.partial(choose_tag, name), library)
    return BackboneSpec(
        name=name,
        weights=weights,
        weights_digest=digest,
        image_size=size,
        layers=resolve_layers(layers, design.depth),
        grid=(size[0] // design.patch[0], size[1] // design.patch[1]),
        width=design.width,
        embedding_width=design.width,
        position_antialias=position_antialias,
    )


def architecture_of(name: str) -> str:
    """timm's name of the architecture, without a tag."""
    return timm_name(name).partition(".")[0]


def timm_name(name: str) -> str:
    """timm's name of the model, with a tag where the name implies one."""
    return DINO_MODELS[name] if name in DINO_MODELS else name.removeprefix(TIMM_PREFIX)


@functools.cache
def read_design(name: str) -> Design:
    """The design of a model timm can build; see `sketch` for what is refused."""
    model = sketch(name)
    return Design(patch=model.patch_embed.patch_size, depth=len(model.blocks), width=model.embed_dim)


def sketch(name: str) -> VisionTransformer:
    """The model at its own image size, with shapes but no memory for its weights.

    Raises:
        ValueError: if it is not a ViT with a class token and a final norm over all tokens.
    """
    with torch.device("meta"):
        model = timm.create_model(architecture_of(name), num_classes=0)
    if not isinstance(model, VisionTransformer):
        raise ValueError(f"backbone must be a plain ViT, got {name!r} ({type(model).__name__}); choose a `vit_` model")
    if model.cls_token is None:
        raise ValueError(f"backbone must have a class token, got {name!r} without; choose another `vit_` model")
    if isinstance(model.norm, torch.nn.Identity):
        raise ValueError(
            f"backbone must norm its tokens before pooling them, got {name!r}, which norms the mean; "
            "choose another `vit_` model"
        )
    return model


def choose_tag(name: str, tag: str | None) -> str:
    """Check a timm tag, or take the one that belongs to the name, else timm's default.

    Raises:
        ValueError: if the architecture has no such tag, or none at all.
    """
    architecture = architecture_of(name)
    tags = known_tags(architecture)
    if not tags:
        raise ValueError(f"weights must be a file for {name}, as no published weights are known, got {tag!r}; give one")
    chosen = (timm_name(name).partition(".")[2] or tags[0]) if tag is None else tag
    if chosen not in tags:
        raise ValueError(
            f"weights must be a file or one of {', '.join(tags)} for {name}, got {chosen!r}; "
            "check the spelling, or give the path of an existing file"
        )
    return chosen


def known_tags(architecture: str) -> list[str]:
    """timm's tags of published weights, its default first."""
    tags = (full.partition(".")[2] for full in timm.models.get_arch_pretrained_cfgs(architecture))
    return [tag for tag in tags if tag]


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """Load a resolved timm backbone, float32, in evaluation mode.

    Raises:
        WeightsUnavailableError: if published weights can neither be found on this machine nor fetched.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights do not fit the model, or the file is not the one that was resolved.
    """
    state = adapt(_read_weights(spec), spec)
    model: Any = timm.create_model(architecture_of(spec.name), num_classes=0, img_size=spec.image_size)
    weight_files.load_exactly(model, state, spec.name)
    model = model.eval().requires_grad_(False).to(device)
    return Backbone(
        spec=spec,
        device=device,
        preprocess=make_preprocess(spec),
        forward=functools.partial(extract_features, model=model, layers=spec.layers),
    )


def adapt(state: dict[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """Give a state dict timm's names (Meta's files have others), no classifier, and the specification's grid."""
    model = sketch(spec.name)
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


def _read_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    if not spec.weights_digest.startswith(DIGEST_PREFIX):
        return weight_files.read_verified(Path(spec.weights), spec.weights_digest)
    return fetch(spec.name, spec.weights)


def fetch(name: str, tag: str) -> dict[str, torch.Tensor]:
    """Published weights, downloaded by timm where they are not on this machine yet.

    Raises:
        WeightsUnavailableError: if that fails, for whatever reason.
    """
    source = read_source(f"{architecture_of(name)}.{tag}")
    repository = source.hf_hub_id
    if not repository:
        raise weight_files.unavailable(f"weights {tag!r} of {name}", "no Hugging Face repository", str(source.url))
    try:
        require_reachable(repository, HUB_FILES)
        return timm.models.load_state_dict_from_hf(repository, weights_only=True)
    except Exception as error:  # several network stacks, each with errors of its own
        origin = f"{HUB_FILES[0]} from the Hugging Face repository {repository}"
        raise weight_files.unavailable(f"weights {tag!r} of {name}", error, origin) from error


def read_source(model_name: str) -> PretrainedCfg:
    """What timm knows of the published weights of `architecture.tag`, or of an architecture's default ones."""
    return timm.models.get_pretrained_cfg(model_name) or PretrainedCfg()


def make_preprocess(spec: BackboneSpec) -> Compose:
    """PIL RGB image -> float32 (3, H, W): bilinear, aspect not kept, then the weights' mean and std (ImageNet's).

    Weights from a file are taken to want the mean and std of the name's own tag.
    """
    is_published = spec.weights_digest.startswith(DIGEST_PREFIX)
    source = read_source(f"{architecture_of(spec.name)}.{spec.weights}" if is_published else timm_name(spec.name))
    return Compose(
        [
            Resize(spec.image_size, interpolation=InterpolationMode.BILINEAR, antialias=True),
            ToTensor(),
            Normalize(source.mean, source.std),
        ]
    )


def extract_features(images: torch.Tensor, *, model: VisionTransformer, layers: tuple[int, ...]) -> Features:
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
