"""A night: every lot below a root that has no finished result yet, on whatever runner. Nothing here knows Prefect."""

import logging
from collections.abc import Callable

from planning.lot_job import LotJob
from planning.nightly import (
    Night,
    Outcome,
    Status,
    describe_outcome,
    look,
    night_job,
    note_outcome,
    remember,
    survey,
)
from planning.requests import LotRequest, NightRequest
from planning.returns import ScoredLot
from storage.errors import NoImagesError, UnopenedError
from storage.images.lot_tree import FoundLot
from storage.store import Store, require_writable
from tasks.runtime import progress
from tasks.runtime.runner import Runner
from tasks.runtime.stage import format_failures

log = logging.getLogger(__name__)

ScoreLot = Callable[[LotRequest], ScoredLot]
"""Scores one folder."""


class NightFailedError(RuntimeError):
    """Some lots failed; the results of all others are kept, and the next night tries these again."""

    def __init__(self, night: Night) -> None:
        failed = [(outcome.found.lot, outcome.reason) for outcome in night.outcomes if outcome.status == Status.FAILED]
        super().__init__(
            f"{len(failed)} of {len(night.outcomes)} lots failed, the others are finished: {format_failures(failed)}"
        )
        self.night = night


def score_night(request: NightRequest, runner: Runner, score_lot: ScoreLot) -> Night:
    """Score what is not finished; see `flows.score_lots`.

    Args:
        request: by the user.
        runner: where the lots are found; opens the workers that they share.
        score_lot: scores one of them.
    """
    job = night_job(request)
    require_writable(Store(job.store))
    tree = runner.call("survey", request.root, survey, request.root, request.category, request.since)
    notes = [f"{left_out.path} is no lot: {left_out.reason}" for left_out in tree.left_out]
    if not tree.lots:
        notes.append(f"no lot lies below {request.root}; lots are folders <category>/<date> of images")
    outcomes: list[Outcome] = []
    with runner.shared(job.allocation.engine) as shared:
        if shared.dask_address:  # opened here, or named by the user
            at = {"dask_address": shared.dask_address, "workers": shared.workers}
            request = request.changed(resources=request.resources.changed(**at))
        for found in tree.lots:
            outcome = attempt(found, job, request, score_lot, (len(outcomes), len(tree.lots)))
            note_outcome(job, outcome)
            outcomes.append(outcome)
            log.info("%s %s: %s", found.lot, outcome.status, outcome.run or outcome.reason)
    runner.monitor.night(request.root, outcomes)
    notes += [note for outcome in outcomes for note in outcome.notes]
    for note in notes:
        log.warning(note)
    night = Night(outcomes=tuple(outcomes), notes=tuple(notes))
    if any(outcome.status == Status.FAILED for outcome in outcomes):
        raise NightFailedError(night)
    return night


def attempt(
    found: FoundLot, job: LotJob, request: NightRequest, score_lot: ScoreLot, place: tuple[int, int] = (0, 1)
) -> Outcome:
    """Score one lot unless it is finished; its errors do not stop the other lots."""
    key = None
    try:
        seen = look(found, job, request.maps, request.export)
        if seen.outcome:
            return seen.outcome
        key = seen.key
        progress.begin("night", place[1], "lots", subject=found.lot, done=place[0])
        outcome = describe_outcome(found, job, score_lot(request.lot(found.folder, found.lot, found.category)))
        remember(job, key, outcome)
    except UnopenedError as error:
        return Outcome(found, Status.FAILED, reason=str(error))
    except NoImagesError as error:
        outcome = Outcome(found, Status.TOO_SMALL, reason=str(error))
        remember(job, key, outcome)
    except Exception as error:
        return Outcome(found, Status.FAILED, reason=str(error) or type(error).__name__)
    return outcome
