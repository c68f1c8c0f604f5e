"""Tune: score the judged lots of a product with every choice of settings, and judge these. Nothing knows Prefect."""

import logging
from collections import defaultdict
from dataclasses import replace

from flows.pipelines.lot import with_region
from musc.settings import Settings
from planning.job_from_request import prepare
from planning.lot_job import LotJob
from planning.requests import LotRequest
from planning.task_results import Tuned
from planning.tuning.accepted_threshold import without_accepted_threshold
from planning.tuning.choices import Choice, choices_of
from planning.tuning.request import TuneRequest
from planning.tuning.tuning_specs import Labelled, TrialSpec, TuneSpec, trial_spec
from reports.tuning.accept_and_go_back import accept, settings_in_use
from reports.tuning.judged_lots import JudgedLot, judged_lots, require_enough
from storage.artefacts import is_complete
from storage.errors import ImageChangedError, NoImagesError
from storage.images.lots import load_usable, read_image
from storage.store import Store, absolute, require_writable
from tasks.ingest import list_good
from tasks.runtime import progress
from tasks.runtime.run_stage import run_stage
from tasks.runtime.runner import Runner
from tasks.tuning.judge_choices import judge_choices

log = logging.getLogger(__name__)

KEPT = ("degrees", "interval", "match_radius", "keep_aspect", "references", "seed")
"""Settings of the judged runs that stay as they were; degrees only of the network that was used."""


def tune_product(request: TuneRequest, runner: Runner) -> Tuned:
    """Find the settings of a product; see `flows.tune`."""
    store = Store(absolute(request.output))
    require_writable(store)
    used = settings_in_use(store, request.category)
    lots = judged_lots(store, request.category, request.lots)
    choices = choices_of(request.networks, request.sizes, used=used)
    groups: dict[Choice, list[Choice]] = defaultdict(list)
    for choice in choices:
        groups[choice.scored_with()].append(choice)
    labelled, left_out = [], []
    for lot in lots:
        try:
            trials = [try_lot(request, lot, first, tuple(group), runner) for first, group in groups.items()]
            labelled.append(Labelled(lot.run, lot.defective, lot.good, tuple(trials)))
        except (NoImagesError, ImageChangedError, FileNotFoundError) as error:
            log.warning("%s is left out: %s", lot.record.job.lot, error)
            left_out.append(f"the verdicts about {lot.record.job.lot} are left out: {error}")
    require_enough([lot for lot in lots if lot.run in {one.run for one in labelled}], request.category)
    progress.doing("comparing choices …")
    decisions = without_accepted_threshold(lots[0].record.job).decisions
    spec = TuneSpec("", request.category, store.url, choices, tuple(labelled), decisions)
    done = run_stage("tune", judge_choices, [spec], runner)[0]
    accepted = accept(store, done.path, request.name) if request.accept else None
    return Tuned(path=done.path, left_out=tuple(left_out), accepted=accepted is not None)


def try_lot(request: TuneRequest, lot: JudgedLot, first: Choice, choices: tuple[Choice, ...], runner: Runner) -> str:
    """Make sure that the scores of a lot are stored for all choices that share its patch scores.

    Args:
        request: by the user.
        lot: with verdicts.
        first: what is computed for all of them.
        choices: of one network at one size.
        runner: where.

    Returns:
        The path of the trial.
    """
    job = trial_job(request, lot, first, runner)
    spec = trial_spec(job, lot.record.keys.listing, choices)
    if not is_complete(Store(job.store), spec.path):
        compute_trial(spec, runner)
    return spec.path


def trial_job(request: TuneRequest, lot: JudgedLot, choice: Choice, runner: Runner) -> LotJob:
    """The job of a judged run with other settings: alone, without references from other runs."""
    past = lot.record.job
    kept = {name: getattr(past.settings, name) for name in KEPT}
    if choice.backbone != past.backbone.name:
        del kept["degrees"]
    job = prepare(
        LotRequest(
            folder=past.folder,
            output=request.output,
            lot=past.lot,
            category=past.category,
            good=past.good.folder if past.good else None,
            roi=past.region.path or None if past.region else None,
            settings=choice.applied_to(Settings(**kept)),
            decisions=without_accepted_threshold(past).decisions,
            resources=request.resources,
            default_settings=True,
        )
    )
    if past.region and past.region.ignored:
        region = replace(past.region, patches="")
        job = replace(job, region=region)
    if job.good:
        job = replace(job, good=runner.call("list", job.good.folder, list_good, job.good.folder, job.store))
    return with_region(job, lot.record.keys.listing, runner)


def compute_trial(spec: TrialSpec, runner: Runner) -> None:
    """Extract and compare a lot, and score it with every choice.

    Raises:
        ImageChangedError: before any work, if its first photograph is gone or another.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    images = load_usable(Store(spec.store), spec.lot_key)
    read_image(Store(spec.job.folder), images[0])
    progress.doing("loading torch …")
    from flows.pipelines.scoring import all_shards, compare_lot, opened_stages, score_good
    from tasks.tuning.try_choices import try_choices

    with opened_stages(spec.job, spec.lot_key, images, runner) as stages:
        sizes = compare_lot(spec.job, spec.lot_key, images, stages)
        stages.run(
            "trial",
            try_choices,
            [
                replace(
                    spec,
                    blocks=tuple(block.path for block in sizes[-1].blocks),
                    shards=tuple((shard.shard, shard.path) for shard in all_shards(sizes)),
                    known=score_good(spec.job, sizes, images, stages.run),
                )
            ],
        )
