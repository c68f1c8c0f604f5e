"""The pipeline: the stages of a lot in order, on whatever runner. Nothing here knows Prefect."""

import logging
from dataclasses import replace

from flows.pipelines.report_and_files import report_run
from planning.feasibility import require_feasible
from planning.job_from_request import none_drawn
from planning.lot_job import LotJob
from planning.lot_specs import (
    run_spec,
)
from planning.requests import LotRequest
from planning.resources import Engine
from planning.sizes.size_hints import size_hints
from planning.task_results import Contributed, ScoredLot, ScoredRun
from planning.tuning.accepted_threshold import threshold_left_out, with_accepted_threshold
from reports.verdicts.known_good import none_judged_good, with_judged_good
from storage.artefacts import is_complete, remembering_complete
from storage.attempts import attempting
from storage.images.lots import load_usable
from storage.products.ignored_places import read_ignored
from storage.products.settled_sizes import settle_size
from storage.store import Store
from tasks.ingest import list_good, list_images
from tasks.region_masks import keep_region
from tasks.rescore import rescore_lot
from tasks.runtime import progress
from tasks.runtime.run_stage import run_stage
from tasks.runtime.runner import Runner

log = logging.getLogger(__name__)


@remembering_complete()
def score_folder(request: LotRequest, runner: Runner) -> ScoredLot:
    """List a folder, score its images and make the page: all that `flows.score_lot` and `musc score` do."""
    job = require_feasible(request, with_judged_good if request.good_from_verdicts else None)
    runner.prepare(job.allocation.engine)
    with attempting(Store(job.store), job.lot, job.category, job.folder):
        if job.good:
            good = runner.call("list", job.good.folder, list_good, job.good.folder, job.store)
            job = replace(job, good=good)
        progress.doing(f"listing {job.folder} …")
        listing = runner.call("list", job.folder, list_images, job.folder, job.store, job.min_images)
        settle_sizes(job)
        job = with_region(job, listing.lot_key, runner)
        job = job if request.default_settings else with_accepted_threshold(job)
        hints = size_hints(job, load_usable(Store(job.store), listing.lot_key))
        for hint in hints:
            log.info("hint: %s", hint)
            progress.advise(hint)
        run = score_listed(job, listing.lot_key, runner, published=False)
    reported = report_run(job, run, runner, request.files)
    notices = reported.notices
    result = ScoredLot(
        **dict(run),
        report=reported.report,
        flagged=notices.flagged_count,
        suspect=notices.suspect_count,
        warnings=notices.warnings,
        unusual=notices.unusual,
        is_followed=notices.is_followed,
        notes=notes_of(request, job),
        problems=reported.problems,
        unopened=listing.unopened,
        left_out=notices.left_out,
        created=reported.created,
        contributed=contribution_of(request, job),
        kept_size="; ".join(kept.text for kept in job.kept_sizes),
        hints=hints,
        of_product=job.accepted_text,
    )
    runner.monitor.scored(job, result)
    return result


def settle_sizes(job: LotJob) -> None:
    """Note for later lots of the product the sizes that were told from this one's photographs."""
    told = [(kept.key, kept.size) for kept in job.kept_sizes]
    told += [(job.flaw_size.key, job.flaw_size.photograph)] if job.flaw_size else []
    for key, size in told:
        if key:
            settle_size(Store(job.store), key, size, job.lot)


def notes_of(request: LotRequest, job: LotJob) -> tuple[str, ...]:
    """What was asked for, or chosen for the product, and could not be done."""
    no_verdicts = (none_judged_good(job.category),) if request.good_from_verdicts and not job.judged_good else ()
    nothing_drawn = request.ignore_drawn and not (job.region and job.region.ignored)
    other = "" if request.default_settings else threshold_left_out(job)
    return (*no_verdicts, *((none_drawn(job.category),) if nothing_drawn else ()), *((other,) if other else ()))


def contribution_of(request: LotRequest, job: LotJob) -> Contributed:
    """How much of what people judged and drew went into a lot, as far as it was asked for."""
    good = sum(len(images.image_ids) for images in job.judged_good)
    drawn = job.region.ignored if job.region else ""
    count = len(read_ignored(Store(job.store), drawn).regions) if drawn else 0
    return Contributed(
        judged_good=good if request.good_from_verdicts else None, ignored=count if request.ignore_drawn else None
    )


def with_region(job: LotJob, lot_key: str, runner: Runner) -> LotJob:
    """The job with the masks of its region of interest read, where it has one; its images must be listed."""
    if job.region is None:
        return job
    store = Store(job.store)
    images = load_usable(store, lot_key) + (load_usable(store, job.good.listing) if job.good else [])
    region = runner.call(
        "regions", job.region.path or job.region.ignored, keep_region, job.store, job.region, images, job.backbones
    )
    return replace(job, region=region)


def score_listed(
    job: LotJob, lot_key: str, runner: Runner, engine: Engine | None = None, *, published: bool = True
) -> ScoredRun:
    """Score a lot whose images are listed in the store: extract, aggregate if asked to, score, group, rescore.

    A run that is complete is returned as it is, whatever resources it was made with.

    Args:
        engine: where the tasks run, if that is a cluster which the caller shares among lots; else the job says it.
        published: whether the UI and automations are told of the result here; a reproduction is nobody's news.

    Raises:
        MemoryError: before any work, if not even one image fits the memory.
        WeightsUnavailableError: before any work, if the backbone's weights are neither here nor downloadable.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    runner.monitor.begin_lot(job)
    store = Store(job.store)
    images = load_usable(store, lot_key)
    finished = run_spec(job, lot_key)
    if is_complete(store, finished.path):
        log.info("%s is complete and is reused", finished.path)
        (run,) = run_stage("rescore", rescore_lot, [finished], runner)
        run = run.model_copy(update={"reused": True})
    else:
        progress.doing("loading torch …")
        from flows.pipelines.scoring import compute_run  # all that computes: torch, and what the stages need

        run = compute_run(job, lot_key, images, runner, engine)
    if published:
        runner.monitor.scored(job, run)
    return run
