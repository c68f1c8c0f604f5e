"""Backbones: networks that turn images into patch tokens and class tokens. Names are resolved first, loaded later.

Names are loaded when first used, so that importing the package loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musc.backbones.backbone import Backbone as Backbone
    from musc.backbones.backbone import Features as Features
    from musc.backbones.devices import choose_device as choose_device
    from musc.backbones.families import build as build
    from musc.backbones.families import load as load
    from musc.backbones.families import names as names
    from musc.backbones.families import resolve as resolve
    from musc.backbones.families import resolve_settings as resolve_settings
    from musc.backbones.families import with_defaults as with_defaults
    from musc.backbones.weights import WeightsUnavailableError as WeightsUnavailableError
    from musc.layers import BackboneSpec as BackboneSpec

_HOMES = {
    "musc.backbones.backbone": ("Backbone", "Features"),
    "musc.backbones.devices": ("choose_device",),
    "musc.backbones.families": ("build", "load", "names", "resolve", "resolve_settings", "with_defaults"),
    "musc.backbones.weights": ("WeightsUnavailableError",),
    "musc.layers": ("BackboneSpec",),
}
__all__ = [
    "Backbone",
    "BackboneSpec",
    "Features",
    "WeightsUnavailableError",
    "build",
    "choose_device",
    "load",
    "names",
    "resolve",
    "resolve_settings",
    "with_defaults",
]


def __getattr__(name: str) -> Any:
    for module, module_names in _HOMES.items():
        if name in module_names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'musc.backbones' has no attribute {name!r}")
