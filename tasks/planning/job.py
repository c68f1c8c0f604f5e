"""Prepare: turn what a user asked for into a job, refusing whatever cannot work before anything is done."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import torch

from musc import backbones
from musc.backbones import BackboneSpec
from musc.backbones.base import choose_device
from musc.decisions.rule import DecisionRule
from musc.plan.partition import plan_blocks
from musc.settings import Settings
from storage.images.listing import require_folder
from storage.results.runs import FOLDER as RUNS
from storage.secrets import require_no_secret
from storage.store import Store, absolute, require_store
from tasks.planning.machine import memory_bytes, parse_bytes
from tasks.planning.resources import THREADS, Engine, chosen_engine

DEFAULT_OUTPUT = "musc-results"
MapKind = Literal["png", "tiff"]
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
    decision_rule: DecisionRule = field(default_factory=DecisionRule)
    """How images are flagged; decides nothing about their scores."""
    exclude_groups: bool = False
    """Whether patches that a group of images shares are taken out of the references and the lot is scored again."""
    engine: Engine = THREADS
    references_from: tuple[str, ...] = ()
    """Paths of earlier runs in the store, whose accepted images serve as references too."""

    @property
    def min_images(self) -> int:
        """Images a lot must hold to be scored: one has the images of earlier runs to be compared with."""
        return 1 if self.references_from else 2

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the scores of given images, as plain values."""
        settings = self.settings
        chosen = {
            "references": None if settings.references is None else [settings.references, settings.seed],
            "match_radius": settings.match_radius,
            "references_from": self.references_from or None,
        }
        return {
            "backbone": backbone_identity(self.backbone),
            "degrees": self.settings.chosen_degrees,
            "interval": self.settings.interval,
            "rscin_windows": self.settings.chosen_rscin_windows,
            "subsets": self.subsets,
            "exclude_groups": self.exclude_groups,
            **{name: choice for name, choice in chosen.items() if choice is not None},
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
    false_alarms: float = DecisionRule.false_alarms,
    review_budget: int | None = DecisionRule.review_budget,
    threshold: float | None = DecisionRule.threshold,
    exclude_groups: bool = False,
    maps: MapKind | None = None,
    engine: str = "threads",
    dask_address: str | None = None,
    workers: int | None = None,
    references_from: Sequence[str] = (),
    **settings: Any,
) -> LotJob:
    """Check every parameter of `flows.score_lot` and complete it with defaults; `settings` are those of the method.

    Raises:
        ValueError: naming the first parameter that is out of range or holds a secret.
        NoImagesError: if the folder is missing.
        FileNotFoundError: if a weights file is missing.
    """
    method = Settings(**settings)
    places = {"folder": folder, "output": output, "weights": method.weights, "dask_address": dask_address}
    for option, place in (*places.items(), *(("references_from", run) for run in references_from)):
        require_no_secret(option, str(place or ""))
    require_map_kind(maps)
    if exclude_groups and method.references is not None:
        raise ValueError(
            f"exclude_groups must go without references, got references {method.references}: groups are found by "
            "comparing all images with each other; leave out one of the two"
        )
    decision_rule = DecisionRule(false_alarms, review_budget, threshold)
    require_folder(folder)
    require_store(output)
    folder, output = absolute(folder), absolute(output)
    chosen = choose_device(device)
    running = chosen_engine(
        engine,
        dask_address=dask_address,
        workers=workers,
        device=device,
        kind=chosen.type,
        core_count=torch.get_num_threads(),
    )
    if running.name == "dask":
        require_shared("folder", folder)
        require_shared("output", output)
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
        settings=replace(method, degrees=method.chosen_degrees, rscin_windows=method.chosen_rscin_windows),
        backbone=backbones.resolve(method.backbone, device=device, **method.backbone_arguments()),
        device=device,
        memory_bytes=parse_bytes(memory) if memory else int(MEMORY_SHARE * memory_bytes(chosen)) // running.sharing,
        block_images=block_images,
        store_aggregated=store_aggregated,
        thread_count=max(1, torch.get_num_threads() // running.sharing),
        subsets=subsets,
        decision_rule=decision_rule,
        exclude_groups=exclude_groups,
        engine=running,
        references_from=tuple(Store(output).inside(run if "/" in run else f"{RUNS}/{run}") for run in references_from),
    )


def require_shared(option: str, url: str) -> None:
    """Refuse places that only this process can reach.

    Raises:
        ValueError: if it lies in the memory of this process.
    """
    if url.startswith("memory:"):
        raise ValueError(f"{option} must be a place all workers reach, got {url}; give a folder, or an s3:// URL")


def backbone_identity(backbone: BackboneSpec) -> dict[str, Any]:
    """What of a backbone decides its features: where the weights lie does not, their digest does."""
    identity = asdict(backbone)
    del identity["weights"]
    return identity


def default_lot(folder: str) -> str:
    """A lot is called like its folder."""
    return re.split(r"[/\\]", folder.rstrip("/\\"))[-1]


def require_map_kind(maps: str | None) -> None:
    """Refuse kinds of map files that nobody writes.

    Raises:
        ValueError: naming the kinds there are.
    """
    if maps is not None and maps not in get_args(MapKind):
        raise ValueError(f"maps must be one of {', '.join(get_args(MapKind))}, got {maps!r}; leave it out for none")


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
