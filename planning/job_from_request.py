"""From a request to a job: check all options before any work, and fill in defaults."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from musc import backbones
from musc.layers import BackboneSpec
from musc.settings import WITHOUT_TILES, Settings, needs_usual
from planning.lot_job import KnownGood, LotJob, RegionOfInterest
from planning.requests import LotRequest
from planning.resources import allocate
from planning.sizes.kept_size import kept_sizes
from planning.sizes.smallest_flaw import FlawSize, flaw_size, least_without_tiles
from planning.tuning.take_accepted import with_accepted
from storage.given_names import one_form
from storage.images.folder_dates import date_of
from storage.images.listing import require_folder
from storage.paths_and_urls import protocol_of
from storage.products.ignored_places import latest_ignored, read_ignored
from storage.results.runs import FOLDER as RUNS
from storage.store import Store, absolute, require_apart, require_store

PLAIN_NAME = re.compile(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,99}")
"""What a folder of the store may be called."""


def prepare(request: LotRequest, subsets: int = 1, images: Sequence[str] | None = None) -> LotJob:
    """Check everything about a lot that can be checked without reading its images, and complete it.

    Args:
        subsets: parts of the lot that are scored each by itself.
        images: paths of the images in the folder that tell the lot's proportions, where these are kept: None is all, as
            nights of a product have one size, and with none the size stays the usual one.

    Raises:
        ValueError: naming the first option that is out of range.
        NoImagesError: if the folder is missing.
        FileNotFoundError: if a weights file is missing.
    """
    folder, output, settings = request.folder, request.output, request.settings
    require_folder(folder)
    if request.good is not None:
        require_folder(request.good, "good")
    require_apart(require_store(output), folder)
    folder, output = absolute(folder), absolute(output)
    allocation = allocate(request.resources)
    if allocation.engine.name == "dask":
        require_shared("folder", folder)
        require_shared("output", output)
        require_shared("good", absolute(request.good or folder))
    lot, category = names_of(folder, request.lot, request.category)
    require_name("lot", lot)
    require_name("category", category)
    if settings.seed and settings.references is None and subsets == 1:
        raise ValueError(
            f"seed must go with references, or with subsets in a benchmark, got seed {settings.seed} alone; leave it "
            "out, there is nothing to draw"
        )
    of_product = None
    if not request.default_settings and request.smallest_flaw is None:
        settings, of_product = with_accepted(settings, Store(output), category)
    earlier = (run if "/" in run else f"{RUNS}/{run}" for run in settings.references_from)
    flaw = chosen_by_flaw(request, settings, category, allocation.device, subsets, images)
    if flaw is not None:
        settings = settings.changed(image_size=flaw.image_size, tile=flaw.tile)
    if settings.tile is not None:
        require_tiles_alone(request, subsets)
        settings = settings.changed(image_size=settings.image_size or size_of_tile(settings, allocation.device))
    completed = backbones.with_defaults(settings.changed(references_from=tuple(map(Store(output).inside, earlier))))
    resolved = backbones.resolve_settings(completed, allocation.device)
    kept = kept_sizes(folder, category, resolved, Store(output), images) if completed.keep_aspect else ()
    if kept:
        sizes = tuple(size.size for size in kept)
        completed = completed.changed(image_size=sizes if len(sizes) > 1 else sizes[0])
        resolved = backbones.resolve_settings(completed, allocation.device)
    require_reachable(completed, request.decisions.threshold)
    region = requested_region(request)
    return LotJob(
        folder=folder,
        store=output,
        lot=lot,
        category=category,
        settings=completed,
        backbone=resolved[-1],
        smaller=resolved[:-1],
        allocation=allocation,
        subsets=subsets,
        decisions=request.decisions,
        kept_sizes=kept,
        flaw_size=flaw,
        of_product=of_product,
        good=KnownGood(absolute(request.good)) if request.good else None,
        region=without_drawn(region, Store(output), category) if request.ignore_drawn else region,
    )


def require_reachable(settings: Settings, threshold: float | None) -> None:
    """Refuse a threshold that every image exceeds.

    Raises:
        ValueError: if it is below 0 where no score is.
    """
    if threshold is not None and threshold < 0 and not needs_usual(settings.image_score):
        raise ValueError(
            f"threshold must be 0 or more with image_score {settings.image_score}, whose scores are never below 0, got "
            f"{threshold:g}; give a raw score of the table"
        )


def size_of_tile(settings: Settings, device: str) -> tuple[int, int]:
    """The image size nearest to a tile's side that the network takes, in whole patches of its coarsest layer."""
    usual = usual_backbone(settings, device)
    coarsest = min(layer.grid for layer in usual.layers)
    patch = tuple(side // count for side, count in zip(usual.image_size, coarsest, strict=True))
    height, width = (max(1, round((settings.tile or 0) / side)) * side for side in patch)
    return height, width


def usual_backbone(settings: Settings, device: str) -> BackboneSpec:
    """The network of settings that say no image size, at its usual one."""
    completed = backbones.with_defaults(settings)
    return backbones.resolve(completed.backbone, device=device, **completed.backbone_arguments())


def chosen_by_flaw(
    request: LotRequest,
    settings: Settings,
    category: str,
    device: str,
    subsets: int,
    images: Sequence[str] | None,
) -> FlawSize | None:
    """The image size or tiles that the smallest flaw of a request chooses; None where it names none.

    Raises:
        ValueError: if photographs can show no such flaw, or it needs tiles, and they cannot go with what is asked for.
    """
    if request.smallest_flaw is None:
        return None
    usual, keep_aspect = usual_backbone(settings, device), settings.keep_aspect
    folders = [request.folder, *([request.good] if request.good else [])]
    store = Store(absolute(request.output))
    flaw = flaw_size(request.smallest_flaw, folders, category, usual, store, images, keep_aspect=keep_aspect)
    against = [name for name, value in beside_tiles(request, subsets).items() if value]
    if flaw.tile is not None and against:
        least = least_without_tiles(flaw.photograph, usual, keep_aspect=keep_aspect)
        raise ValueError(
            f"smallest_flaw must be at least {least} pixels in these photographs with {against[0]}, got {flaw.flaw}: "
            f"smaller flaws need tiles, which go without {against[0]}; leave out one of the two"
        )
    return flaw


def require_tiles_alone(request: LotRequest, subsets: int) -> None:
    """Refuse what cannot go with tiles.

    Raises:
        ValueError: naming the option.
    """
    for option, value in beside_tiles(request, subsets).items():
        if value:
            raise ValueError(f"{option} must go without tile, got {value}; leave out one of the two")


def beside_tiles(request: LotRequest, subsets: int) -> dict[str, object]:
    """The options that cannot go with tiles, with their values."""
    given = {"subsets": subsets if subsets > 1 else None}
    return {
        name: given.get(name, getattr(request, name, None) or getattr(request.settings, name, None))
        for name in WITHOUT_TILES
    }


def requested_region(request: LotRequest) -> RegionOfInterest | None:
    """The region of interest that a request names, its masks not yet read.

    Raises:
        ValueError: if there is no such local mask or folder, or where masks cannot be found for all references.
    """
    if request.roi is None:
        return None
    if Path(request.roi).is_file():
        return RegionOfInterest(absolute(request.roi), each=False)
    if not Path(request.roi).is_dir():
        raise ValueError(
            f"roi must be an existing local mask file, or folder of masks, got {request.roi}; check the path"
        )
    if request.settings.references_from or request.good_from_verdicts:
        raise ValueError(
            "roi must be one mask file where references_from or good_from_verdicts is given, got the folder "
            f"{request.roi}, which has no masks of their images; give one mask for all, or good parts with good"
        )
    return RegionOfInterest(absolute(request.roi), each=True)


def without_drawn(region: RegionOfInterest | None, store: Store, category: str) -> RegionOfInterest | None:
    """A region without the places that people drew to be ignored in photographs of a product, where they drew any."""
    path = latest_ignored(store, category)
    if not path or not read_ignored(store, path).regions:
        return region
    return replace(region or RegionOfInterest("", each=False), ignored=path)


def none_drawn(category: str) -> str:
    """What to say where drawn places were to be ignored and there are none."""
    return (
        f"no place is drawn to be ignored for {category}, so it was scored as without --ignore-drawn; "
        "draw one on the review site"
    )


def require_shared(option: str, url: str) -> None:
    """Refuse places that only this process can reach.

    Raises:
        ValueError: if it lies in the memory of this process.
    """
    if protocol_of(url) == "memory":
        raise ValueError(f"{option} must be a place all workers reach, got {url}; give a folder, or an s3:// URL")


def names_of(folder: str, lot: str | None = None, category: str | None = None) -> tuple[str, str]:
    """The names of a lot and of its product, those that are not given taken from the folder.

    A folder whose name begins with a date is a night of the product whose folder holds it, as in a night
    (`storage.images.lot_tree`), so that both ways give the same run.

    >>> names_of("/lots/bolt/2026-11-21"), names_of("/photos/monday")
    (('bolt-2026-11-21', 'bolt'), ('monday', 'monday'))
    """
    above, name = ["", *re.split(r"[/\\]", absolute(folder).rstrip("/\\"))][-2:]
    if date_of(name):
        category = category or (above if PLAIN_NAME.fullmatch(above) else None)
        lot = lot or (f"{category}-{name}" if category else name)
    return one_form(lot or name), one_form(category or lot or name)


def require_name(option: str, name: str) -> None:
    """Refuse names that cannot be a folder's.

    Raises:
        ValueError: if the name holds a path separator or a control character, or begins with a dot.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise ValueError(
            f"{option} must be a plain name of at most 100 characters without / or \\, not beginning with a dot, "
            f"got {name!r}; give another with --{option}"
        )
