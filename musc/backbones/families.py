"""Families of backbones: a name's family is imported when the name is used.

Resolving a name of `efficientnet-lite` or `texture` loads no torch, building one no model library.
"""

import difflib
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from musc.backbone_families import FAMILIES, TIMM_PREFIX, BackboneFamily, all_names
from musc.backbones.devices import choose_device, device_type
from musc.backbones.feature_options import AUTO, BackboneOptions, choose_precision
from musc.layers import BackboneSpec
from musc.settings import DEFAULT_BACKBONE, ChosenSettings, Settings

if TYPE_CHECKING:
    import torch

    from musc.backbones.backbone import Backbone


class _Resolving(Protocol):
    """What the module offers that knows the names of a family of models."""

    def accepts(self, name: str) -> bool: ...

    def resolve(self, name: str, options: BackboneOptions) -> BackboneSpec: ...


class _Building(Protocol):
    """What the module offers that loads models of a family."""

    def build(self, spec: BackboneSpec, device: "torch.device") -> "Backbone": ...


def names() -> tuple[str, ...]:
    """The backbones with a name of their own; other open_clip names and `timm:<model>` are accepted as well."""
    return all_names()


def with_defaults(settings: Settings) -> ChosenSettings:
    """Settings with the backbone, and what depends on it, chosen where it is None: degrees and RsCIN windows."""
    name = settings.backbone or DEFAULT_BACKBONE
    family = _family_of(name)
    completed = {
        "backbone": name,
        "degrees": settings.degrees or family.degrees,
        "rscin_windows": settings.rscin_windows or family.rscin_windows,
    }
    return ChosenSettings(**{**dict(settings), **completed})


def load(
    name: str,
    *,
    weights: str | Path | None = None,
    image_size: int | Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
    device: str = "auto",
    quick_gelu: bool | None = None,
    position_antialias: bool = False,
    precision: str = AUTO,
) -> "Backbone":
    """Resolve a backbone and load it; arguments and errors are those of `resolve` and `build`."""
    spec = resolve(
        name,
        weights=weights,
        image_size=image_size,
        layers=layers,
        quick_gelu=quick_gelu,
        position_antialias=position_antialias,
        precision=precision,
        device=device,
    )
    return build(spec, device)


def resolve(
    name: str,
    *,
    weights: str | Path | None = None,
    image_size: int | Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
    quick_gelu: bool | None = None,
    position_antialias: bool = False,
    precision: str = AUTO,
    device: str = "auto",
) -> BackboneSpec:
    """Settle all that decides a backbone's features. Loads no weights and downloads nothing.

    Args:
        name: one of `names()`, another open_clip model with a plain ViT image tower, or `timm:<model>`.
        weights: a tag of the model's library, the path of a file (`.safetensors`, or one written by `torch.save`
            that needs no code to be read), or None for the published weights.
        image_size: pixels, a multiple of the patch size: one number for a square, (height, width), or None for 518
            where the patch is 14, else 512, and 320 for convolutional networks.
        layers: 0-based, growing: transformer blocks, None for the last of each quarter of the depth; or levels of a
            convolutional network, None for those of stride 8 and more.
        quick_gelu: CLIP's activation; None is that of the published numbers (see `vision_transformers.clip`).
        position_antialias: resize position embeddings as today's libraries do, not as the published numbers had it.
        precision: `float32`, `float16`, `bfloat16`, or `auto` for float16 on a GPU and float32 elsewhere.
        device: where the backbone will run; decides what precision `auto` is.

    Raises:
        ValueError: if the name is unknown, or another argument does not fit the model.
        FileNotFoundError: if `weights` is the path of no file.
    """
    options = BackboneOptions(
        weights=str(weights.expanduser().absolute()) if isinstance(weights, Path) else weights,
        image_size=_as_image_size(image_size),
        layers=_as_layers(layers),
        quick_gelu=quick_gelu,
        position_antialias=position_antialias,
    )
    spec = _resolving(name).resolve(name, options)
    chosen = choose_precision(precision, name, device_type(device), float32_only=_family_of(name).float32_only)
    return replace(spec, precision=chosen)


def resolve_settings(settings: ChosenSettings, device: str = "auto") -> tuple[BackboneSpec, ...]:
    """The backbone of settings at each of their image sizes, smallest first; errors are those of `resolve`."""
    sizes = settings.at_each_size()
    return tuple(resolve(one.backbone, device=device, **one.backbone_arguments()) for one in sizes)


def build(spec: BackboneSpec, device: str = "auto") -> "Backbone":
    """Load what was resolved: evaluation mode, weights in float32, no gradients.

    Args:
        spec: what `resolve` returned, on this machine or another.
        device: a torch device, or `auto` for the first GPU where there is one.

    Raises:
        WeightsUnavailableError: if published weights can neither be found on this machine nor fetched.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the device does not exist, the weights do not fit the model, or the file has changed.
    """
    from musc.backbones.autocast import in_its_precision

    _resolving(spec.name)
    family = cast(_Building, import_module(f"musc.backbones.{_family_of(spec.name).building}"))
    return in_its_precision(family.build(spec, choose_device(device)))


def _family_of(name: str) -> BackboneFamily:
    """The family that a name belongs to, or seems to."""
    for family in FAMILIES.values():
        if name in family.names:
            return family
    if name.startswith(TIMM_PREFIX):
        timm_models = import_module("musc.backbones.timm_models")
        return FAMILIES["dino" if timm_models.is_vision_transformer(name) else "convolutional"]
    return FAMILIES["clip"]


def _resolving(name: str) -> _Resolving:
    """The module that resolves a name.

    Raises:
        ValueError: if the name is unknown.
    """
    belongs_to, own_names = _family_of(name), [known for family in FAMILIES.values() for known in family.names]
    # open_clip takes up to half a minute to load, and knows no name that is spelt nearly as one of the project's own.
    misspelt = belongs_to is FAMILIES["clip"] and difflib.get_close_matches(name.lower(), own_names, cutoff=0.8)
    family = cast(_Resolving, None if misspelt else import_module(f"musc.backbones.{belongs_to.resolving}"))
    if misspelt or not family.accepts(name):
        by_letters = {name_of.lower(): name_of for name_of in names()}
        close = difflib.get_close_matches(name.lower(), by_letters, n=2, cutoff=0.3)
        nearest = " or ".join(by_letters[letters] for letters in close) or DEFAULT_BACKBONE
        raise ValueError(
            f"backbone must be a name known here, another open_clip model with a plain ViT image tower, "
            f"or {TIMM_PREFIX}<a convolutional network or ViT of timm>, got {name!r}; did you mean "
            f"{nearest}? docs/backbones.md says which there are"
        )
    return family


def _as_image_size(image_size: int | Sequence[int] | None) -> int | tuple[int, int] | None:
    if image_size is None or isinstance(image_size, int):
        return image_size
    if len(image_size) != 2:
        raise ValueError(f"image_size must be one number or (height, width), got {image_size}; give both in pixels")
    return image_size[0], image_size[1]


def _as_layers(layers: Sequence[int] | None) -> tuple[int, ...] | None:
    if isinstance(layers, int):
        raise ValueError(f"layers must be numbers of layers, got {layers}; write ({layers},) for one")
    return None if layers is None else tuple(layers)
