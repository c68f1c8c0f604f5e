"""CLIP's image towers, through open_clip: every plain ViT it knows or was told of with `add_model_config`.

Two things differ from what open_clip does by itself, both because the published numbers were made that way:

- **Activation.** OpenAI's weights were trained with QuickGELU. At an input size other than the model's own, the
  published numbers come from plain GELU, at its own size from QuickGELU.
- **Position embedding.** It is resized without antialiasing; see `musc.backbones.vision_transformers.positions`.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import open_clip
import torch
import torch.nn.functional as F
from open_clip.model import _build_vision_tower  # the public way also builds and fills the text tower, often larger
from open_clip.transformer import VisionTransformer
from PIL import Image

from musc.backbone_families import OPENAI_CLIP_NAMES
from musc.backbones import weights as weight_files
from musc.backbones.backbone import Backbone, Features
from musc.backbones.feature_options import BackboneOptions
from musc.backbones.pil_images import Preprocess
from musc.backbones.sizes_and_layers import alike, resolve_image_size, resolve_layers
from musc.backbones.vision_transformers.positions import resize_positions
from musc.backbones.weights import require_reachable
from musc.layers import BackboneSpec

DIGEST_PREFIX = "open_clip:"
OPENAI_TAG = "openai"
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
TOWER_PREFIX = "visual."
POSITIONS = "positional_embedding"

Activation = Literal["gelu", "quick_gelu"]


@dataclass(frozen=True)
class Design:
    """What open_clip's configuration says of one model."""

    tower: open_clip.CLIPVisionCfg
    embedding_width: int
    quick_gelu: bool

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels the model was trained on."""
        return _pair(self.tower.image_size)

    @property
    def patch(self) -> tuple[int, int]:
        return _pair(self.tower.patch_size)

    def grid(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Patch rows and columns at an image size."""
        return image_size[0] // self.patch[0], image_size[1] // self.patch[1]


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def accepts(name: str) -> bool:
    """Whether open_clip knows a model of this name whose image tower is a plain ViT."""
    return name in open_clip.list_models() and _is_plain(read_design(name).tower)


def _is_plain(tower: open_clip.CLIPVisionCfg) -> bool:
    return tower.timm_model_name is None and isinstance(tower.layers, int) and not tower.attentional_pool


def read_design(name: str) -> Design:
    """The design of a model open_clip has a configuration for."""
    config = open_clip.get_model_config(name)
    return Design(
        tower=open_clip.CLIPVisionCfg(**config["vision_cfg"]),
        embedding_width=config["embed_dim"],
        quick_gelu=config.get("quick_gelu", False),
    )


def resolve(name: str, options: BackboneOptions) -> BackboneSpec:
    """Settle everything that decides the features of a CLIP backbone, without loading weights.

    Args:
        name: a name `accepts` says yes to.
        options: no weights means the tag `openai` where there is one, else the first; no `quick_gelu` reproduces the
            published numbers (see `choose_activation`).

    Raises:
        ValueError: if the tag, the size or the layers do not fit the model.
        FileNotFoundError: if the weight file does not exist.
    """
    design = read_design(name)
    size = resolve_image_size(options.image_size, design.patch)
    weights, digest = weight_files.identify(options.weights, functools.partial(choose_tag, name), DIGEST_PREFIX)
    tag = weights if digest.startswith(DIGEST_PREFIX) else None
    return BackboneSpec(
        name=name,
        weights=weights,
        weights_digest=digest,
        image_size=size,
        layers=alike(resolve_layers(options.layers, design.tower.layers), design.grid(size), design.tower.width),
        embedding_width=design.embedding_width,
        activation=choose_activation(name, design, tag, size, options.quick_gelu),
        position_antialias=options.position_antialias,
    )


def choose_tag(name: str, tag: str | None) -> str:
    """Check an open_clip tag, or choose the default one.

    Raises:
        ValueError: if the model has no such tag, or none at all.
    """
    tags = open_clip.list_pretrained_tags_by_model(name)
    if not tags:
        raise ValueError(f"weights must be a file for {name}, as no published weights are known, got {tag!r}; give one")
    if tag is None:
        return OPENAI_TAG if OPENAI_TAG in tags else tags[0]
    if tag not in tags:
        raise ValueError(
            f"weights must be a file or one of {', '.join(tags)} for {name}, got {tag!r}; "
            "check the spelling, or give the path of an existing file"
        )
    return tag


def choose_activation(
    name: str, design: Design, tag: str | None, image_size: tuple[int, int], quick_gelu: bool | None
) -> Activation:
    """The activation the published numbers were made with, unless the user forces one.

    A model whose configuration asks for QuickGELU (`ViT-L-14-quickgelu`) has it. OpenAI's weights have it at the
    model's own size only, and a file given for one of OpenAI's four models is taken for those weights. Other tags
    follow the activation open_clip says they were trained with; other files the configuration, plain GELU.
    """
    if quick_gelu is None:
        is_openai = tag == OPENAI_TAG or (tag is None and name in OPENAI_CLIP_NAMES)
        if design.quick_gelu:
            quick_gelu = True
        elif is_openai:
            quick_gelu = image_size == design.image_size
        else:
            quick_gelu = tag is not None and bool(open_clip.get_pretrained_cfg(name, tag).get("quick_gelu"))
    return "quick_gelu" if quick_gelu else "gelu"


def build(spec: BackboneSpec, device: torch.device) -> Backbone:
    """Load a resolved CLIP backbone: its image tower only, float32, in evaluation mode.

    Raises:
        WeightsUnavailableError: if published weights can neither be found on this machine nor fetched.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights do not fit the model, or the file is not the one that was resolved.
    """
    design = read_design(spec.name)
    state = take_tower(_read_weights(spec))
    if POSITIONS in state:
        state[POSITIONS] = resize_positions(
            state[POSITIONS],
            prefix_count=1,
            trained_grid=design.grid(design.image_size),
            grid=spec.grid,
            antialias=spec.position_antialias,
        )
    tower = make_tower(design, spec)
    weight_files.load_exactly(tower, state, f"the image tower of {spec.name}")
    tower.eval().requires_grad_(False).to(device)
    return Backbone(
        spec=spec,
        device=device,
        preprocess=make_preprocess(spec),
        forward=functools.partial(extract_features, tower=tower, layers=[layer.number for layer in spec.layers]),
    )


def make_tower(design: Design, spec: BackboneSpec) -> VisionTransformer:
    """The image tower with random weights, laid out for the specification's grid."""
    quick_gelu = spec.activation == "quick_gelu"
    config = replace(
        design.tower,
        image_size=spec.image_size,
        pos_embed_type="learnable",  # comes with the weights; a computed one could only be square
        act_kwargs=None if quick_gelu else design.tower.act_kwargs,
    )
    return _build_vision_tower(design.embedding_width, config, quick_gelu)


def take_tower(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The image tower's part of a whole CLIP, or the state dict itself where it is of the tower alone."""
    tower = {name.removeprefix(TOWER_PREFIX): t for name, t in state.items() if name.startswith(TOWER_PREFIX)}
    return tower or dict(state)


def _read_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    if not spec.weights_digest.startswith(DIGEST_PREFIX):
        return weight_files.read_verified(Path(spec.weights), spec.weights_digest)
    return weight_files.read_state_dict(fetch(spec.name, spec.weights))


def fetch(name: str, tag: str) -> Path:
    """The local file of published weights, downloaded by open_clip where it is not there yet.

    Raises:
        WeightsUnavailableError: if that fails, for whatever reason.
    """
    source = open_clip.get_pretrained_cfg(name, tag)
    try:
        if source.get("hf_hub"):
            repository, _, file = source["hf_hub"].rpartition("/")
            require_reachable(repository, [file] if file else HUB_FILES)
        return Path(open_clip.download_pretrained(source))
    except Exception as error:  # several network stacks, each with errors of its own
        raise weight_files.unavailable(f"weights {tag!r} of {name}", error, _origin(source)) from error


def _origin(source: Mapping[str, Any]) -> str:
    hub = source.get("hf_hub")
    if not hub:
        return f"{source['url'].rpartition('/')[2]} from {source['url']}"
    repository, _, file = hub.rpartition("/")
    return f"{file or HUB_FILES[0]} from the Hugging Face repository {repository}"


def make_preprocess(spec: BackboneSpec) -> Preprocess:
    """PIL RGB image -> float32 (3, H, W): bicubic with antialias, aspect not kept, then the weights' mean and std.

    Weights from a file are taken to want the mean and std of the model's default tag, else OpenAI's.
    """
    tag = spec.weights if spec.weights_digest.startswith(DIGEST_PREFIX) else None
    tags = open_clip.list_pretrained_tags_by_model(spec.name)
    source = open_clip.get_pretrained_cfg(spec.name, choose_tag(spec.name, tag)) if tags else {}
    return Preprocess(
        spec.image_size,
        Image.Resampling.BICUBIC,
        source.get("mean", open_clip.OPENAI_DATASET_MEAN),
        source.get("std", open_clip.OPENAI_DATASET_STD),
    )


def extract_features(images: torch.Tensor, *, tower: VisionTransformer, layers: Sequence[int]) -> Features:
    """Patch tokens of the chosen blocks, before any final norm, and the projected image embedding.

    Args:
        images: float32 (N, 3, H, W) on the tower's device.
        tower: the image tower.
        layers: 0-based block numbers.

    Returns:
        Patch tokens (N, P, C) per layer and class tokens (N, D) of unit length.
    """
    output = tower.forward_intermediates(images, indices=list(layers), output_fmt="NLC")
    return Features(output["image_intermediates"], F.normalize(output["image_features"], dim=-1))
