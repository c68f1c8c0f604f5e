"""A night: every lot below a root that has no finished result yet, on whatever runner. Nothing here knows Prefect."""

import logging
from collections.abc import Callable
from dataclasses import replace

from flows.pipelines.report_and_files import add_files_to
from planning.lot_job import LotJob
from planning.nights.due_lots import check_lot, night_job, note_outcome, remember, survey
from planning.nights.outcomes import LotOutcome, Night, Status, describe_outcome
from planning.requests import LotRequest, NightRequest
from planning.task_results import ScoredLot
from reports.night_lines import advice_lines, counts_line, lot_line, named
from reports.sentences import counted
from storage.disk_space import describe_space, is_full
from storage.errors import NoImagesError, UnopenedError
from storage.images.lot_tree import FoundLot
from storage.results.runs import Run
from storage.store import Store, begin_results
from tasks.runtime import progress
from tasks.runtime.run_stage import format_failures
from tasks.runtime.runner import Runner

log = logging.getLogger(__name__)

ScoreLot = Callable[[LotRequest], ScoredLot]
"""Scores one folder."""

LEVELS = {
    Status.SCORED: logging.INFO,
    Status.FINISHED: logging.DEBUG,
    Status.TOO_SMALL: logging.WARNING,
    Status.FAILED: logging.ERROR,
}
"""Of a lot's line in the log."""


class NightFailedError(RuntimeError):
    """Some lots failed; the results of all others are kept, and the next night tries these again."""

    def __init__(self, night: Night) -> None:
        failed = [(outcome.found.lot, outcome.reason) for outcome in night.with_status(Status.FAILED)]
        count = f"{len(failed)} of {counted(len(night.outcomes), 'lot')} failed"
        super().__init__(f"{count}, the others are finished: {format_failures(failed)}")
        self.night = night
        self.in_short = (
            f"{count}, {named([lot for lot, _ in failed])}; the others are finished, the next night tries again"
        )
        """Without the reasons, where they were said before."""


def score_night(
    request: NightRequest, runner: Runner, score_lot: ScoreLot, show: Callable[[LotOutcome], None] | None = None
) -> Night:
    """Score what is not finished; see `flows.score_lots`.

    Args:
        runner: where the lots are found; opens the workers that they share.
        show: called with what came of each lot, at once.
    """
    job = night_job(request)
    tree = runner.call("survey", request.root, survey, request.root, request.category, request.since)
    begin_results(Store(job.store), request.root)
    outcomes: list[LotOutcome] = []
    with runner.shared(job.allocation.engine) as shared:
        if shared.dask_address:  # opened here, or named by the user
            address = {"dask_address": shared.dask_address, "workers": shared.workers}
            request = request.changed(resources=request.resources.changed(**address))
        for found in tree.lots:
            outcome = attempt(found, job, request, runner, score_lot, (len(outcomes), len(tree.lots)))
            note(job, outcome)
            outcomes.append(outcome)
            log.log(LEVELS[outcome.status], lot_line(outcome))
            if show:
                show(outcome)
    runner.monitor.night(request.root, outcomes)
    night = Night(request.root, tuple(outcomes), tree.left_out)
    for line in advice_lines(night):
        log.warning(line)
    log.info(counts_line(night))
    if night.count(Status.FAILED):
        raise NightFailedError(night)
    return night


def note(job: LotJob, outcome: LotOutcome) -> None:
    """Note why a lot has no result; a store that takes no more must not keep the other lots from being tried."""
    try:
        note_outcome(job, outcome)
    except OSError as error:
        log.warning("%s: the review site will not show why it has no result: %s", outcome.found.lot, error)


def attempt(
    found: FoundLot,
    job: LotJob,
    request: NightRequest,
    runner: Runner,
    score_lot: ScoreLot,
    place: tuple[int, int] = (0, 1),
) -> LotOutcome:
    """Score one lot unless it is finished; its errors do not stop the other lots.

    A finished one gets the maps and exports that it lacks, from its run: nothing is scored again for them.
    """
    key = None
    try:
        lot = request.lot(found.folder, found.lot, found.category)
        check = check_lot(found, job, lot.files, default_settings=request.default_settings)
        if check.outcome and not check.lacks:
            return check.outcome
        key = check.key
        progress.begin("night", place[1], "lots", subject=found.lot, done=place[0])
        if check.outcome:
            added = add_files_to(Run(Store(job.store), check.outcome.run), runner, lot.files)
            outcome = replace(check.outcome, created=added.created, problems=added.problems)
        else:
            outcome = describe_outcome(found, job, score_lot(lot))
        remember(job, key, outcome, lot.files)
    except UnopenedError as error:
        return LotOutcome(found, Status.FAILED, reason=str(error))
    except NoImagesError as error:
        outcome = LotOutcome(found, Status.TOO_SMALL, reason=str(error))
        remember(job, key, outcome)
    except Exception as error:
        return LotOutcome(found, Status.FAILED, reason=why(error, job.store))
    return outcome


def why(error: Exception, store: str) -> str:
    """The reason of a lot that failed; where the disk is full with what is free on it, as stages say it themselves."""
    reason = str(error) or type(error).__name__
    space = describe_space(Store(store)) if isinstance(error, OSError) and is_full(error) else ""
    return f"{reason}; {space}" if space else reason
