"""What computes a lot's scores: the stages in order. Imported only where something must be computed."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from musc.decisions.thresholds import MIN_IMAGES
from musc.plan.lot_as_tiles import tile_count
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
from planning.task_specs import AggregateSpec, BlockRows, ExtractSpec, KnownGoodSpecs, RegionRows, ScoreSpec
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
    earlier: tuple[BlockRows, ...]
    """References from earlier lots."""


@dataclass(frozen=True)
class Compared:
    """A lot whose patches are compared, and what that was made from."""

    blocks: Sequence[ExtractSpec]
    shards: Sequence[ScoreSpec]
    aggregated: Sequence[AggregateSpec]
    contents: Sequence[str]
    """SHA-256 of every image with usable features."""
    earlier: tuple[BlockRows, ...]
    region: RegionRows | None
    known: Sequence[ExtractSpec]
    """Blocks of the known good images."""
    good: Sequence[ListedImage]
    """These images."""


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
        compared = compare_lot(job, lot_key, images, stages)
        shards = compared.shards
        grouping = group_specs(job, shards)
        groups = run("groups", group_lot, grouping)
        if job.settings.exclude_groups and any(found.groups for found in groups):
            log.info("%s is scored again without what groups share", job.lot)
            made = compared.blocks, compared.aggregated, compared.contents, compared.earlier
            shards = score_specs(job, *made, grouping[0], region=compared.region)
            run("score", score_shard, shards)
        lot, known = (compared.blocks, images), (compared.known, compared.good)
        vouching = score_good(job, known, lot, run) if job.good else None
        nights = earlier_runs(job, lot_key)
        log.info("%d earlier nights take part in the decision", len(nights))
        stages.lease.add(nights)
        ending = run_spec(job, lot_key, compared.blocks, shards, *grouping, good=vouching, nights=nights)
        (done,) = run("rescore", rescore_lot, [ending])
        return done


@contextmanager
def opened_stages(
    job: LotJob, lot_key: str, images: Sequence[ListedImage], opener: Runner, engine: Engine | None = None
) -> Iterator[Stages]:
    """The runner of a lot's stages and its lease, while the `with` block lasts; arguments as of `compute_run`."""
    earlier = earlier_references(job, images)
    good_count = len(load_usable(Store(job.store), job.good.listing)) if job.good else 0
    tiles = tile_count(job.settings, images)
    cost = project_cost(job, tiles * len(images), sum(len(rows.rows) for rows in earlier) + good_count, tiles)
    opener.monitor.plan(job, cost)
    with (
        explaining_full_disk(cost, job.store),
        leasing(Store(job.store), lease_name(job, lot_key)) as lease,
        opener.opened(engine or job.allocation.engine) as runner,
    ):
        lease.add([lot_path(lot_key), *(rows.block for rows in earlier)])
        lease.add([lot_path(job.good.listing)] if job.good else [])
        lease.add([job.region.patches] if job.region else [])
        yield Stages(partial(run_stage, runner=runner, lease=lease), lease, runner.loads_models_here, earlier)


def compare_lot(job: LotJob, lot_key: str, images: Sequence[ListedImage], stages: Stages) -> Compared:
    """Extract a lot, aggregate if asked to, and score its shards; what is in the store already is used again."""
    run, good = stages.run, load_usable(Store(job.store), job.good.listing) if job.good else []
    tiles = tile_count(job.settings, images)
    blocks = extract_specs(job, lot_key, images)
    known = extract_specs(good_job(job, job.good), job.good.listing, good) if job.good else []
    run("extract", extract_block, [*known, *blocks], ahead=load_ahead if stages.loads_models_here else None)
    earlier = earlier_references(job, images, known) if known else stages.earlier
    log.info("%d references besides the lot's own images", sum(len(rows.rows) for rows in earlier))
    aggregated = aggregate_specs(job, blocks) if job.allocation.store_aggregated else []
    run("aggregate", aggregate_block, aggregated)
    contents = extracted_contents(blocks, images, tiles)
    require_usable(blocks, len(contents) // tiles, sum(len(rows.rows) for rows in earlier), tiles)
    require_usual(job, len(contents) // tiles, len(extracted_contents(known, good)) if known else 0)
    region = region_rows(job, contents, earlier, known, good)
    shards = score_specs(job, blocks, aggregated, contents, earlier, tiles=tiles, region=region)
    run("score", score_shard, shards)
    return Compared(blocks, shards, aggregated, contents, earlier, region, known, good)


def require_usual(job: LotJob, image_count: int, good_count: int) -> None:
    """Refuse to score by what is usual at a place where nothing says what is usual at a place.

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
    job: LotJob,
    known: tuple[Sequence[ExtractSpec], Sequence[ListedImage]],
    lot: tuple[Sequence[ExtractSpec], Sequence[ListedImage]],
    run: Callable[..., Any],
) -> KnownGoodSpecs | None:
    """Score known good images against each other and the lot, where they are enough to decide the thresholds.

    Args:
        known: extracted blocks of the good images, and the good images.
        lot: extracted blocks of the lot, and its images.
    """
    if job.good is None:
        return None
    blocks, images = known
    specs = KnownGoodSpecs(lot_path(job.good.listing), tuple(block.path for block in blocks))
    contents = extracted_contents(blocks, images)
    if len(contents) < MIN_IMAGES:
        return specs
    further = lot_references(job, *lot, images)
    region = region_rows(job, contents, further, *lot)
    shards = score_specs(good_job(job, job.good), blocks, [], contents, further, region=region)
    run("score", score_shard, shards)
    return replace(specs, shards=tuple((spec.shard, spec.path) for spec in shards), image_count=len(contents))
