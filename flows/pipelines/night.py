"""A night: every lot below a root that has no finished result yet, on whatever runner. Nothing here knows Prefect."""

import logging
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from storage.errors import NoImagesError, UnopenedError
from storage.images.lot_tree import FoundLot
from tasks.planning.job import LotJob
from tasks.planning.nightly import (
    FAILED,
    TOO_SMALL,
    Outcome,
    count_outcomes,
    look,
    night_job,
    remember,
    runs_of,
    scored,
    survey,
)
from tasks.runtime import progress
from tasks.runtime.runner import Runner
from tasks.runtime.stage import format_failures

log = logging.getLogger(__name__)

ScoreLot = Callable[..., dict[str, Any]]
"""Scores one folder: the parameters of `flows.score_lot`, and what it returns."""


class NightFailedError(RuntimeError):
    """Some lots failed; the results of all others are kept, and the next night tries these again."""

    def __init__(self, outcomes: list[Outcome], notes: list[str]) -> None:
        failed = [(outcome.found.lot, outcome.reason) for outcome in outcomes if outcome.what == FAILED]
        super().__init__(
            f"{len(failed)} of {len(outcomes)} lots failed, the others are finished: {format_failures(failed)}"
        )
        self.outcomes, self.notes = outcomes, notes


def score_night(
    root: str,
    category: str | None,
    since: date | None,
    parameters: Mapping[str, Any],
    runner: Runner,
    score_lot: ScoreLot,
) -> dict[str, Any]:
    """Score what is not finished; see `flows.score_lots`.

    Args:
        root: path or URL of a folder with lots.
        category: the only product; all unless given.
        since: earliest date.
        parameters: of `flows.score_lot` that all lots share.
        runner: where the lots are found; opens the workers that they share.
        score_lot: scores one of them.
    """
    given = dict(parameters)
    job = night_job(root, **given)
    tree = runner.call("survey", root, survey, root, category, since)
    notes = [f"{left_out.path} is no lot: {left_out.reason}" for left_out in tree.left_out]
    if not tree.lots:
        notes.append(f"no lot lies below {root}; lots are folders <category>/<date> of images")
    outcomes: list[Outcome] = []
    with runner.shared(job.engine) as shared:
        if shared.dask_address:  # opened here, or named by the user
            given.update(dask_address=shared.dask_address, workers=shared.workers)
        for found in tree.lots:
            outcome = attempt(found, job, given, score_lot, (len(outcomes), len(tree.lots)))
            outcomes.append(outcome)
            log.info("%s %s: %s", found.lot, outcome.what, outcome.run or outcome.reason)
    runner.monitor.night(root, outcomes)
    notes += [note for outcome in outcomes for note in outcome.notes]
    for note in notes:
        log.warning(note)
    if any(outcome.what == FAILED for outcome in outcomes):
        raise NightFailedError(outcomes, notes)
    return {**count_outcomes(outcomes), "runs": runs_of(outcomes), "notes": notes}


def attempt(
    found: FoundLot, job: LotJob, given: dict[str, Any], score_lot: ScoreLot, place: tuple[int, int] = (0, 1)
) -> Outcome:
    """Score one lot unless it is finished; whatever goes wrong with it must not take the others with it."""
    key = None
    try:
        seen = look(found, job, given.get("maps"))
        if seen.outcome:
            return seen.outcome
        key = seen.key
        progress.begin("night", place[1], 0, found.lot, done=place[0])
        done = score_lot(folder=found.folder, lot=found.lot, category=found.category, **given)
        outcome = scored(found, done)
        remember(job, key, outcome)
    except UnopenedError as error:
        return Outcome(found, FAILED, reason=str(error))
    except NoImagesError as error:
        outcome = Outcome(found, TOO_SMALL, reason=str(error))
        remember(job, key, outcome)
    except Exception as error:
        return Outcome(found, FAILED, reason=str(error) or type(error).__name__)
    return outcome
