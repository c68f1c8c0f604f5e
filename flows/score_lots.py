"""Score every lot below a root that has no finished result yet: what is scheduled every night."""

from prefect import flow

from flows.failed_runs import crashed
from flows.one_thread import one_at_a_time
from flows.parameters import takes
from flows.pipelines.night import score_night
from flows.runners import PrefectRunner
from flows.score_lot import score_lot
from planning.nights.outcomes import Night
from planning.requests import NightRequest


@flow(name="nightly-lots", flow_run_name="nightly {root}", task_runner=one_at_a_time(), on_crashed=[crashed])
@takes(NightRequest)
def score_lots(request: NightRequest) -> Night:
    """Score every lot below a root that has no finished result for these settings, so that missed nights are made up.

    Returns:
        What came of every lot, and what a person should know.

    Raises:
        NoImagesError: if the root is missing.
        ValueError: for an option out of range or an unknown category, by name, before any work.
        NightFailedError: at the end, if lots failed; the results of the others are kept.
    """
    return score_night(request, PrefectRunner(), lambda one: score_lot(**dict(one)))
