"""The MuSc method and nothing else: no files of a lot, no Prefect.

`score_images` is the whole method in memory. Names are loaded when first used, so that importing the package is light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musc.lot import LotScores as LotScores
    from musc.lot import score_images as score_images
    from musc.settings import Settings as Settings

__all__ = ["LotScores", "Settings", "score_images"]
__version__ = "0.1.0"

_HOMES = {"LotScores": "musc.lot", "Settings": "musc.settings", "score_images": "musc.lot"}


_STAGES = ("backbones", "lnamd", "maps", "metrics", "mutual", "rscin")


def __getattr__(name: str) -> Any:
    if name in _STAGES:
        return import_module(f"musc.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'musc' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
