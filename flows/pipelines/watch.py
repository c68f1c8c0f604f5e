"""Watch a folder: every new photograph is scored against references that stay the same. Nothing here knows Prefect."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.pipelines.lot import settle_sizes
from musc.decisions.decide_images import standing_thresholds
from musc.decisions.decision_words import Decision
from planning.job_from_request import none_drawn, prepare
from planning.lot_job import LotJob
from planning.lot_specs import extract_specs, good_job
from planning.requests import WatchRequest
from planning.sizes.size_hints import size_hints
from planning.tuning.accepted_threshold import threshold_left_out, with_accepted_threshold
from reports.references import placed_references
from reports.verdicts.known_good import with_judged_good
from storage.artefacts import digest
from storage.given_names import short_name
from storage.images.lots import ListedImage, load_usable
from storage.results.arrivals import FOLDER, Arrival, Arrivals, arrival_id
from storage.results.features import BlockRow
from storage.store import Store, begin_results
from tasks.extract import extract_block
from tasks.ingest import list_good
from tasks.region_masks import keep_region
from tasks.runtime import progress
from tasks.runtime.run_stage import run_stage
from tasks.runtime.runner import Runner
from tasks.watching.new_photographs import new_rows
from tasks.watching.notify import Notifier, Notify, webhook
from tasks.watching.reference_bank import open_bank
from tasks.watching.reference_scores import reference_scores
from tasks.watching.score_file import Limits, Watch
from tasks.watching.stable_files import FileState

log = logging.getLogger(__name__)

WEBHOOK = "MUSC_WEBHOOK"
"""The variable that holds the webhook's URL where it is secret."""


@dataclass(frozen=True)
class Started:
    """What a watch begins with."""

    table: str
    """Path or URL of the folder of its table."""
    references: int
    limits: Limits
    of_product: str = ""
    """What was accepted for the product and is taken."""


def watch_folder(
    request: WatchRequest,
    runner: Runner,
    stop: threading.Event,
    show: Callable[[Started | Arrival], None],
    receivers: Sequence[Notify] = (),
) -> Arrivals:
    """Score photographs of a folder as they come until told to stop; those scored before are not scored again.

    Args:
        runner: makes the features of the references.
        stop: ends the watch after the photograph at hand.
        show: is called once when the references are ready, then with every new row.
        receivers: are sent flagged rows, as the webhook is.
    """
    url = request.webhook or os.environ.get(WEBHOOK)
    receivers = [*receivers, *([webhook(url)] if url else [])]
    watch = open_watch(request, runner)
    arrivals = watch.arrivals
    accepted = watch.bank.job.accepted_text
    show(Started(arrivals.store.location(arrivals.path), len(watch.bank.contents), watch.limits, accepted))
    notifier, known = Notifier(arrivals, receivers), arrivals.names()
    states: dict[str, FileState] = {}
    notified = arrivals.notified() if receivers else set()
    for row in arrivals.rows():
        states[row["path"]] = FileState(row["size"], row["modified_ns"], row["changed_ns"])
        name = arrival_id(row["path"], row["sha256"])
        if row["decision"] == Decision.FLAGGED and name not in notified:
            notifier.send(name, row)
    try:
        for name, row in new_rows(watch, known, states, stop, poll=request.poll):
            arrivals.add(name, row)
            known.add(name)
            show(row)
            if row["decision"] == Decision.FLAGGED:
                notifier.send(name, row)
    finally:
        notifier.close()
    return arrivals


def open_watch(request: WatchRequest, runner: Runner) -> Watch:
    """Make ready the references and the threshold; what earlier starts made is used again.

    Raises:
        ValueError: without references, or without a folder.
        MemoryError: if the references do not fit the memory.
    """
    require_watchable(request)
    job = prepare(request.lot())
    require_seen_whole(job)
    job = with_judged_good(job) if request.good_from_verdicts else job
    store = Store(job.store)
    begin_results(store, request.folder)
    settle_sizes(job)
    images: list[ListedImage] = []
    good = runner.call("list", job.good.folder, list_good, job.good.folder, job.store) if job.good else None
    if good:
        job = replace(job, good=good)
        images = load_usable(store, good.listing)
    for hint in size_hints(job, images, watching=True):
        progress.advise(hint)
    if request.ignore_drawn and not (job.region and job.region.ignored):
        log.warning("%s", none_drawn(job.category))
    if job.region:
        job = replace(job, region=keep_region(job.store, job.region, images, job.backbones))
    if not request.default_settings:
        job = with_accepted_threshold(job)
        if other := threshold_left_out(job):
            log.warning("%s", other)
    sizes = [references_at(one, images, runner) for one in job.at_each_size()]
    contents = list(sizes[-1])
    if not contents:
        raise ValueError(f"references must hold at least one image, got none for {job.category}; add good photographs")
    if any(list(size) != contents for size in sizes):
        raise ValueError(
            "image_size must give references usable features at all sizes or at none, got other ones at some of "
            f"{job.size_text}; give one size"
        )
    references = [list(size.values()) for size in sizes]
    bank = open_bank(job, references, contents)
    key = digest({"folder": job.folder, "job": job.identity, "references": references})
    arrivals = Arrivals(store, f"{FOLDER}/{short_name(job.category, f'-{key[:8]}')}")
    own = reference_scores(bank, arrivals)
    limits = Limits(*standing_thresholds(own.raw, job.decisions), own.raw)
    return Watch(Path(job.folder), replace(bank, usual=own.usual), arrivals, limits)


def references_at(job: LotJob, good: Sequence[ListedImage], runner: Runner) -> dict[str, BlockRow]:
    """The references of a watch at one image size by their SHA-256, sorted: where the features of each lie.

    Args:
        job: of this size alone.
        good: the known good photographs, whose features are made here.
    """
    blocks = []
    if job.good:
        blocks = extract_specs(good_job(job, job.good), job.good.listing, good)
        run_stage("extract", extract_block, blocks, runner)
    placed: dict[str, BlockRow] = {}
    for image, row in placed_references(job, blocks):
        placed.setdefault(image.sha256, row)
    return dict(sorted(placed.items()))


def require_seen_whole(job: LotJob) -> None:
    """Refuse a smallest flaw by which nothing can be chosen, or which needs tiles.

    Raises:
        ValueError: saying what to give instead.
    """
    flaw = job.flaw_size
    if flaw and not flaw.text:
        raise ValueError(
            f"smallest_flaw must go with photographs to measure by, got {flaw.flaw} and none in {job.folder}; give "
            "good photographs with good (--good), or image_size instead"
        )
    if flaw and flaw.tile:
        raise ValueError(
            f"smallest_flaw must be large enough for whole photographs in watch, got {flaw.flaw}, which needs tiles of "
            f"{flaw.tile} pixels; give image_size instead, or score lots with `musc score`"
        )


def require_watchable(request: WatchRequest) -> None:
    """Refuse what cannot work image by image.

    Raises:
        ValueError: naming the option.
    """
    if not (request.good or request.settings.references_from or request.good_from_verdicts):
        raise ValueError(
            "watch must have references, got none; give a folder of good photographs with good (--good), or an earlier "
            "run with references_from (--references-from)"
        )
    if request.roi and Path(request.roi).is_dir():
        raise ValueError(f"roi must be one mask file for watch, got the folder {request.roi}; give a mask for all")
    if not Path(request.folder).is_dir():
        raise ValueError(f"folder must be an existing local folder, got {request.folder}; make it, or check the path")
