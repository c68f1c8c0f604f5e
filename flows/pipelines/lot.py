"""The pipeline: the stages of a lot in order, on whatever runner. Nothing here knows Prefect."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from flows.pipelines.report import report_run
from musc.decisions.rule import MIN_IMAGES
from musc.plan.tiles import tile_count
from planning.estimate import project_cost
from planning.feasible import require_feasible
from planning.job import none_drawn
from planning.lot import (
    aggregate_specs,
    extract_specs,
    good_job,
    group_specs,
    lease_name,
    run_spec,
    score_specs,
)
from planning.lot_job import LotJob
from planning.requests import LotRequest
from planning.resources import Engine
from planning.returns import Contributed, ScoredLot, ScoredRun
from planning.specs import ExtractSpec, KnownGoodSpecs
from reports.judged_good import none_judged_good, with_judged_good
from reports.page.earlier_nights import earlier_runs
from reports.references import earlier_references
from storage.artefacts import is_complete
from storage.attempts import attempting
from storage.images.lots import ListedImage, load_usable, lot_path
from storage.leases import leasing
from storage.results.ignored import read_ignored
from storage.results.product_sizes import settle_size
from storage.store import Store
from tasks.aggregate import aggregate_block
from tasks.extract import extract_block, extracted_contents
from tasks.groups import group_lot
from tasks.ingest import list_good, list_images
from tasks.regions import keep_region, region_rows
from tasks.rescore import rescore_lot
from tasks.runtime.disk_need import telling_need
from tasks.runtime.models import load_ahead
from tasks.runtime.runner import Runner
from tasks.runtime.stage import run_stage
from tasks.score import score_shard

log = logging.getLogger(__name__)


def score_folder(request: LotRequest, runner: Runner) -> ScoredLot:
    """List a folder, score its images and make the page: all that `flows.score_lot` and `musc score` do."""
    job = require_feasible(request)
    job = with_judged_good(job) if request.good_from_verdicts else job
    with attempting(Store(job.store), job.lot, job.category, job.folder):
        if job.good:
            listed = runner.call("list", job.good.folder, list_good, job.good.folder, job.store)
            job = replace(job, good=listed)
        listing = runner.call("list", job.folder, list_images, job.folder, job.store, job.min_images)
        if job.kept_size and job.kept_size.key:
            settle_size(Store(job.store), job.kept_size.key, job.kept_size.size, job.lot)
        job = with_region(job, listing.lot_key, runner)
        run = score_listed(job, listing.lot_key, runner, published=False)
    reported = report_run(job, run, runner, request.maps, request.export)
    told = reported.notices
    done = ScoredLot(
        **dict(run),
        report=reported.report,
        flagged=told.flagged_count,
        suspect=told.suspect_count,
        warnings=told.warnings,
        unusual=told.unusual,
        is_followed=told.is_followed,
        notes=notes_of(request, job),
        problems=reported.problems,
        unopened=listing.unopened,
        left_out=told.left_out,
        made=reported.made,
        contributed=contribution_of(request, job),
        kept_size=job.kept_size.text if job.kept_size else "",
    )
    runner.monitor.scored(job, done)
    return done


def notes_of(request: LotRequest, job: LotJob) -> tuple[str, ...]:
    """What was asked for and could not be done, because nobody has judged or drawn anything yet."""
    judged = (none_judged_good(job.category),) if request.good_from_verdicts and not job.judged_good else ()
    drawn = request.ignore_drawn and not (job.region and job.region.ignored)
    return (*judged, *((none_drawn(job.category),) if drawn else ()))


def contribution_of(request: LotRequest, job: LotJob) -> Contributed:
    """How much of what people judged and drew went into a lot, as far as it was asked for."""
    good = sum(len(images.image_ids) for images in job.judged_good)
    drawn = job.region.ignored if job.region else ""
    places = len(read_ignored(Store(job.store), drawn).regions) if drawn else 0
    return Contributed(
        judged_good=good if request.good_from_verdicts else None, ignored=places if request.ignore_drawn else None
    )


def with_region(job: LotJob, lot_key: str, runner: Runner) -> LotJob:
    """The job with the masks of its region of interest read, where it has one; its images must be listed."""
    if job.region is None:
        return job
    store = Store(job.store)
    images = load_usable(store, lot_key) + (load_usable(store, job.good.listing) if job.good else [])
    found = runner.call(
        "regions", job.region.path or job.region.ignored, keep_region, job.store, job.region, images, job.backbone
    )
    return replace(job, region=found)


def score_listed(
    job: LotJob, lot_key: str, where: Runner, engine: Engine | None = None, *, published: bool = True
) -> ScoredRun:
    """Score a lot whose images are listed in the store: extract, aggregate if asked to, score, group, rescore.

    A run that is complete is returned as it is, whatever resources it was made with.

    Args:
        job: what to score, and how.
        lot_key: of the listing.
        where: opens the runner of the engine.
        engine: where the tasks run, if that is a cluster which the caller shares among lots; else the job says it.
        published: whether the UI and automations are told of the result here; a reproduction is nobody's news.

    Raises:
        MemoryError: before any work, if not even one image fits the memory.
        WeightsUnavailableError: before any work, if the backbone's weights are neither here nor downloadable.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    where.monitor.begin_lot(job)
    store = Store(job.store)
    images = load_usable(store, lot_key)
    finished = run_spec(job, lot_key)
    if is_complete(store, finished.path):
        log.info("%s is complete and is reused", finished.path)
        (done,) = run_stage("rescore", rescore_lot, [finished], where)
        done = done.model_copy(update={"reused": True})
    else:
        earlier = earlier_references(job, images)
        good = load_usable(store, job.good.listing) if job.good else []
        tiles = tile_count(job.settings, images)
        cost = project_cost(job, tiles * len(images), sum(len(rows.rows) for rows in earlier) + len(good), tiles)
        where.monitor.plan(job, cost)
        with (
            telling_need(cost, job.store),
            leasing(store, lease_name(job, lot_key)) as lease,
            where.opened(engine or job.allocation.engine) as runner,
        ):
            lease.add([lot_path(lot_key), *(rows.block for rows in earlier)])
            lease.add([lot_path(job.good.listing)] if job.good else [])
            lease.add([job.region.patches] if job.region else [])
            run = partial(run_stage, runner=runner, lease=lease)
            blocks = extract_specs(job, lot_key, images)
            known = extract_specs(good_job(job, job.good), job.good.listing, good) if job.good else []
            run("extract", extract_block, [*known, *blocks], ahead=load_ahead if runner.loads_models_here else None)
            earlier = earlier_references(job, images, known)
            log.info("%d references besides the lot's own images", sum(len(rows.rows) for rows in earlier))
            aggregated = aggregate_specs(job, blocks) if job.allocation.store_aggregated else []
            run("aggregate", aggregate_block, aggregated)
            contents = extracted_contents(blocks, images, tiles)
            region = region_rows(job, contents, earlier, known, good)
            shards = score_specs(job, blocks, aggregated, contents, earlier, tiles=tiles, region=region)
            run("score", score_shard, shards)
            grouping = group_specs(job, shards)
            groups = run("groups", group_lot, grouping)
            if job.settings.exclude_groups and any(found.groups for found in groups):
                log.info("%s is scored again without what groups share", job.lot)
                shards = score_specs(job, blocks, aggregated, contents, earlier, grouping[0], region=region)
                run("score", score_shard, shards)
            vouching = score_good(job, known, good, run) if job.good else None
            nights = earlier_runs(job, lot_key)
            log.info("%d earlier nights take part in the decision", len(nights))
            lease.add(nights)
            ending = run_spec(job, lot_key, blocks, shards, *grouping, good=vouching, nights=nights)
            (done,) = run("rescore", rescore_lot, [ending])
    if published:
        where.monitor.scored(job, done)
    return done


def score_good(
    job: LotJob, blocks: Sequence[ExtractSpec], images: Sequence[ListedImage], run: Callable[..., Any]
) -> KnownGoodSpecs | None:
    """Score known good images against each other, where they are enough to decide the thresholds.

    Args:
        job: of the lot.
        blocks: of the good images, extracted.
        images: the good images.
        run: runs a stage.
    """
    if job.good is None:
        return None
    made = KnownGoodSpecs(lot_path(job.good.listing), tuple(block.path for block in blocks))
    contents = extracted_contents(blocks, images)
    if len(contents) < MIN_IMAGES:
        return made
    shards = score_specs(good_job(job, job.good), blocks, [], contents, region=region_rows(job, contents))
    run("score", score_shard, shards)
    return replace(made, shards=tuple((spec.shard, spec.path) for spec in shards), image_count=len(contents))
