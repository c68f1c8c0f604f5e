"""What computes a lot's scores: the stages in order. Imported only where something must be computed."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

from musc.decisions.choose_threshold import MIN_IMAGES
from musc.plan.lot_as_tiles import tile_count, tile_layout
from musc.settings import needs_usual
from planning.estimates.operations_and_bytes import project_cost
from planning.lot_job import LotJob
from planning.lot_specs import (
    aggregate_specs,
    extract_specs,
    good_job,
    group_specs,
    lease_name,
    run_spec,
    score_specs,
)
from planning.resources import Engine
from planning.task_results import ScoredRun
from planning.task_specs import AggregateSpec, BlockRows, ExtractSpec, GroupSpec, KnownGoodSpecs, RegionRows, ScoreSpec
from reports.earlier_scores import earlier_runs
from reports.references import earlier_references, lot_references
from storage.images.lots import ListedImage, load_usable, lot_path
from storage.leases import Lease, leasing
from storage.store import Store
from tasks.aggregate import aggregate_block
from tasks.extract import extract_block, extracted_contents, require_usable
from tasks.groups import group_lot
from tasks.region_masks import region_rows
from tasks.rescore import rescore_lot
from tasks.runtime.disk_need import explaining_full_disk
from tasks.runtime.loaded_backbones import load_ahead
from tasks.runtime.run_stage import run_stage
from tasks.runtime.runner import Runner
from tasks.score import score_shard

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stages:
    """Where the stages of one lot run, as long as its lease lasts."""

    run: Callable[..., Any]
    """Runs a stage, whose artefacts the lease then names."""
    lease: Lease
    loads_models_here: bool
    earlier: tuple[tuple[BlockRows, ...], ...]
    """References from earlier lots at each image size, smallest first."""


@dataclass(frozen=True)
class Extracted:
    """A lot whose features at one image size are stored."""

    job: LotJob
    """Of this image size alone."""
    blocks: Sequence[ExtractSpec]
    known: Sequence[ExtractSpec]
    """Blocks of the known good images."""
    earlier: tuple[BlockRows, ...]
    """References from earlier lots, and the known good images."""
    aggregated: Sequence[AggregateSpec]
    contents: Sequence[str]
    """SHA-256 of every image with usable features."""


@dataclass(frozen=True)
class Compared(Extracted):
    """A lot whose patches are compared at one image size, and what that was made from."""

    region: RegionRows | None
    shards: Sequence[ScoreSpec]

    def scored_without(self, groups: GroupSpec) -> list[ScoreSpec]:
        """The shards once more, without the patches that groups share."""
        made = self.blocks, self.aggregated, self.contents, self.earlier
        return score_specs(self.job, *made, groups, region=self.region)


def all_shards(sizes: Sequence[Compared]) -> list[ScoreSpec]:
    """The shards of every image size, those of the largest last."""
    return [shard for size in sizes for shard in size.shards]


def compute_run(
    job: LotJob, lot_key: str, images: Sequence[ListedImage], opener: Runner, engine: Engine | None
) -> ScoredRun:
    """Extract, aggregate if asked to, score, group, rescore; arguments and errors are those of `score_listed`.

    Args:
        images: its usable images.
        engine: where the tasks run; None is what the job says.
    """
    with opened_stages(job, lot_key, images, opener, engine) as stages:
        run = stages.run
        sizes = compare_lot(job, lot_key, images, stages)
        largest, shards = sizes[-1], all_shards(sizes)
        grouping = group_specs(job, largest.shards)
        groups = run("groups", group_lot, grouping)
        if job.settings.exclude_groups and any(found.groups for found in groups):
            log.info("%s is scored again without what groups share", job.lot)
            shards = [shard for size in sizes for shard in size.scored_without(grouping[0])]
            run("score", score_shard, shards)
        vouching = score_good(job, sizes, images, run)
        nights = earlier_runs(job, lot_key)
        log.info("%d earlier nights take part in the decision", len(nights))
        stages.lease.add(nights)
        smaller = [size.blocks for size in sizes[:-1]]
        found = grouping[0] if grouping else None
        made = lot_key, largest.blocks, shards, found
        ending = run_spec(job, *made, good=vouching, nights=nights, smaller=smaller)
        (done,) = run("rescore", rescore_lot, [ending])
        return done


@contextmanager
def opened_stages(
    job: LotJob, lot_key: str, images: Sequence[ListedImage], opener: Runner, engine: Engine | None = None
) -> Iterator[Stages]:
    """The runner of a lot's stages and its lease, while the `with` block lasts; arguments as of `compute_run`."""
    earlier = tuple(earlier_references(one, images) for one in job.at_each_size())
    good_count = len(load_usable(Store(job.store), job.good.listing)) if job.good else 0
    layout = tile_layout(job.settings, images)
    cost = project_cost(job, prod(layout) * len(images), row_count(earlier[-1]) + good_count, layout)
    opener.monitor.plan(job, cost)
    with (
        explaining_full_disk(cost, job.store),
        leasing(Store(job.store), lease_name(job, lot_key)) as lease,
        opener.opened(engine or job.allocation.engine, job.allocation.device) as runner,
    ):
        lease.add([lot_path(lot_key), *(rows.block for size in earlier for rows in size)])
        lease.add([lot_path(job.good.listing)] if job.good else [])
        lease.add([job.region.patches] if job.region else [])
        yield Stages(partial(run_stage, runner=runner, lease=lease), lease, runner.loads_models_here, earlier)


def row_count(references: Sequence[BlockRows]) -> int:
    """Images that serve as references."""
    return sum(len(rows.rows) for rows in references)


def compare_lot(job: LotJob, lot_key: str, images: Sequence[ListedImage], stages: Stages) -> list[Compared]:
    """Extract a lot at every image size, aggregate if asked to, and score its shards; what is stored is used again.

    Returns:
        What was made at each size, smallest first.

    Raises:
        NoImagesError: if too few images are usable.
        ValueError: if an image is usable at one size and not at another, by name.
    """
    each = zip(job.at_each_size(), stages.earlier, strict=True)
    sizes = [extract_lot(one, lot_key, images, earlier, stages) for one, earlier in each]
    require_alike(sizes, images)
    return [compare_size(size, images, stages) for size in sizes]


def extract_lot(
    job: LotJob, lot_key: str, images: Sequence[ListedImage], earlier: tuple[BlockRows, ...], stages: Stages
) -> Extracted:
    """Extract a lot and its known good images at one image size, and aggregate if asked to."""
    good, tiles = good_images(job), tile_count(job.settings, images)
    blocks = extract_specs(job, lot_key, images)
    known = extract_specs(good_job(job, job.good), job.good.listing, good) if job.good else []
    stages.run("extract", extract_block, [*known, *blocks], ahead=load_ahead if stages.loads_models_here else None)
    earlier = earlier_references(job, images, known) if known else earlier
    log.info("%d references besides the lot's own images", row_count(earlier))
    aggregated = aggregate_specs(job, blocks) if job.allocation.store_aggregated else []
    stages.run("aggregate", aggregate_block, aggregated)
    contents = extracted_contents(blocks, images, tiles)
    require_usable(blocks, len(contents) // tiles, row_count(earlier), tiles)
    require_usual(job, len(contents) // tiles, len(extracted_contents(known, good)) if known else 0)
    return Extracted(job, blocks, known, earlier, aggregated, contents)


def compare_size(size: Extracted, images: Sequence[ListedImage], stages: Stages) -> Compared:
    """Score the shards of a lot at one image size."""
    job, layout = size.job, tile_layout(size.job.settings, images)
    region = region_rows(job, size.contents, size.earlier, size.known, good_images(job))
    made = size.blocks, size.aggregated, size.contents, size.earlier
    shards = score_specs(job, *made, layout=layout, region=region)
    stages.run("score", score_shard, shards)
    return Compared(**vars(size), region=region, shards=shards)


def good_images(job: LotJob) -> list[ListedImage]:
    """The known good images of a job, listed."""
    return load_usable(Store(job.store), job.good.listing) if job.good else []


def require_alike(sizes: Sequence[Extracted], images: Sequence[ListedImage]) -> None:
    """Refuse images, or known good ones, whose features are usable at one image size and not at another.

    Raises:
        ValueError: naming the images.
    """
    good = good_images(sizes[0].job)
    known = [set(extracted_contents(size.known, good) if size.known else ()) for size in sizes]
    for listed, usable in ((images, [set(size.contents) for size in sizes]), (good, known)):
        uneven = frozenset[str]().union(*usable) - usable[0].intersection(*usable)
        if uneven:
            paths = ", ".join(image.path for image in listed if image.sha256 in uneven)
            given = " and ".join(size.job.size_text for size in sizes)
            raise ValueError(
                f"image_size must give images usable features at all sizes or at none, got them at some of {given} "
                f"only of {paths}; take these files out, or give one size"
            )


def require_usual(job: LotJob, image_count: int, good_count: int) -> None:
    """Refuse a score that depends on what is usual at each place, where nothing says what that is.

    Raises:
        ValueError: naming the option.
    """
    if needs_usual(job.settings.image_score) and image_count == 1 and good_count < MIN_IMAGES:
        raise ValueError(
            f"image_score {job.settings.image_score} must have 2 images or more, or {MIN_IMAGES} good photographs, "
            f"whose median is what is usual at a place, got {image_count} and {good_count}; add images to the lot, "
            "give good parts with --good, or take another --image-score"
        )


def score_good(
    job: LotJob, sizes: Sequence[Compared], images: Sequence[ListedImage], run: Callable[..., Any]
) -> KnownGoodSpecs | None:
    """Score known good images against each other and the lot, where they are enough to decide the thresholds.

    Args:
        sizes: the lot and its known good images at each image size.
        images: of the lot.
    """
    if job.good is None:
        return None
    good, blocks = good_images(job), tuple(block.path for size in sizes for block in size.known)
    specs = KnownGoodSpecs(lot_path(job.good.listing), blocks)
    contents = extracted_contents(sizes[-1].known, good)
    if len(contents) < MIN_IMAGES:
        return specs
    shards: list[ScoreSpec] = []
    for size in sizes:
        further = lot_references(size.job, size.blocks, images, good)
        region = region_rows(size.job, contents, further, size.blocks, images)
        shards += score_specs(good_job(size.job, job.good), size.known, [], contents, further, region=region)
    run("score", score_shard, shards)
    return replace(specs, shards=tuple((spec.shard, spec.path) for spec in shards), image_count=len(contents))
