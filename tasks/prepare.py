"""Prepare: turn what a user asked for into a job, refusing whatever cannot work before anything is done."""

import re
from dataclasses import asdict, dataclass
from typing import Any

import torch

from musc import backbones
from musc.backbones import BackboneSpec
from musc.backbones.base import choose_device
from musc.plan import plan_blocks
from musc.settings import Settings
from storage.lots import require_folder
from storage.store import require_store
from tasks.machine import memory_bytes, parsed_bytes

DEFAULT_OUTPUT = "musc-results"
MEMORY_SHARE = 0.5
"""Part of the memory of the GPU, or of the machine without one, that scoring may use unless told otherwise."""


@dataclass(frozen=True)
class LotJob:
    """One lot to be scored, every choice made and checked."""

    folder: str
    store: str
    lot: str
    category: str
    settings: Settings
    backbone: BackboneSpec
    device: str
    memory_bytes: int
    block_images: int | None
    store_aggregated: bool
    thread_count: int = 1
    """Threads that score at once."""
    subsets: int = 1
    """Parts of the lot that are scored each by itself."""

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the scores of given images, as plain values."""
        return {
            "backbone": backbone_identity(self.backbone),
            "degrees": self.settings.degrees,
            "interval": self.settings.interval,
            "window_sizes": self.settings.window_sizes,
            "subsets": self.subsets,
        }


def prepare(
    folder: str,
    output: str = DEFAULT_OUTPUT,
    *,
    lot: str | None = None,
    category: str | None = None,
    device: str = "auto",
    memory: str | None = None,
    block_images: int | None = None,
    store_aggregated: bool = False,
    subsets: int = 1,
    **settings: Any,
) -> LotJob:
    """Check every parameter of `flows.score_lot` and complete it with defaults; `settings` are those of the method.

    Raises:
        ValueError: naming the first parameter that is out of range.
        NoImagesError: if the folder is missing.
        FileNotFoundError: if a weights file is missing.
    """
    method = Settings(**settings)
    require_folder(folder)
    require_store(output)
    chosen = choose_device(device)
    plan_blocks(0, block_images)
    lot = lot or default_lot(folder)
    category = category or lot
    require_name("lot", lot)
    require_name("category", category)
    return LotJob(
        folder=folder,
        store=output,
        lot=lot,
        category=category,
        settings=method,
        backbone=backbones.resolve(method.backbone, device=device, **method.backbone_arguments()),
        device=device,
        memory_bytes=parsed_bytes(memory) if memory else int(MEMORY_SHARE * memory_bytes(chosen)),
        block_images=block_images,
        store_aggregated=store_aggregated,
        thread_count=torch.get_num_threads(),
        subsets=subsets,
    )


def backbone_identity(backbone: BackboneSpec) -> dict[str, Any]:
    """What of a backbone decides its features: where the weights lie does not, their digest does."""
    identity = asdict(backbone)
    del identity["weights"]
    return identity


def default_lot(folder: str) -> str:
    """A lot is called like its folder."""
    return re.split(r"[/\\]", folder.rstrip("/\\"))[-1]


def require_name(option: str, name: str) -> None:
    """Refuse names that cannot be a folder's.

    Raises:
        ValueError: if the name holds a path separator or a control character, or begins with a dot.
    """
    if not re.fullmatch(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,99}", name):
        raise ValueError(
            f"{option} must be a plain name of at most 100 characters without / or \\, not beginning with a dot, "
            f"got {name!r}; give another with --{option}"
        )
