"""Models of timm by name: their architecture, the tags of their published weights, and these weights themselves."""

import functools
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg, eva, vision_transformer

from musc.backbone_families import DINO_MODELS, LITE_MODELS, TIMM_PREFIX
from musc.backbones import weights as weight_files
from musc.backbones.weights import require_reachable
from musc.layers import BackboneSpec

DIGEST_PREFIX = "timm:"
HUB_FILES = ("model.safetensors", "pytorch_model.bin")

VisionTransformer = vision_transformer.VisionTransformer | eva.Eva


def is_known(name: str) -> bool:
    """Whether this is `timm:` and a model timm knows."""
    architecture, _, tag = name.removeprefix(TIMM_PREFIX).partition(".")
    known = name.startswith(TIMM_PREFIX) and timm.is_model(architecture)
    return known and (not tag or tag in known_tags(architecture))


@functools.cache
def is_vision_transformer(name: str) -> bool:
    """Whether a name means a vision transformer that timm knows, rather than a network with levels."""
    return is_known(name) and isinstance(sketch(name), VisionTransformer)


def architecture_of(name: str) -> str:
    """timm's name of the architecture, without a tag."""
    return timm_name(name).partition(".")[0]


def timm_name(name: str) -> str:
    """timm's name of the model, with a tag where the name implies one."""
    return {**LITE_MODELS, **DINO_MODELS}.get(name, name.removeprefix(TIMM_PREFIX))


def sketch(name: str) -> Any:
    """The model without its classifier, at its own image size, with shapes but no memory for its weights."""
    with torch.device("meta"):
        return timm.create_model(architecture_of(name), num_classes=0).eval()


def identify(name: str, weights: str | None) -> tuple[str, str]:
    """What a specification records of a timm model's weights; see `musc.backbones.weights.identify`.

    Raises:
        ValueError: if the architecture has no such tag.
        FileNotFoundError: if `weights` is the path of no file.
    """
    library = f"{DIGEST_PREFIX}{architecture_of(name)}."
    return weight_files.identify(weights, functools.partial(choose_tag, name), library)


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


def read_weights(spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The state dict a specification names: a verified file, or published weights."""
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


def source_of(spec: BackboneSpec) -> PretrainedCfg:
    """What timm knows of the weights: of their tag, or for a file of the name's own tag."""
    is_published = spec.weights_digest.startswith(DIGEST_PREFIX)
    return read_source(f"{architecture_of(spec.name)}.{spec.weights}" if is_published else timm_name(spec.name))


def read_source(model_name: str) -> PretrainedCfg:
    """What timm knows of the published weights of `architecture.tag`, or of an architecture's default ones."""
    return timm.models.get_pretrained_cfg(model_name) or PretrainedCfg()
