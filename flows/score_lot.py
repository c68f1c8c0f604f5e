"""Score one lot, a folder of images of one product."""

from prefect import flow, runtime

from flows.failed_runs import crashed, failed
from flows.one_thread import one_at_a_time
from flows.parameters import takes
from flows.pipelines.lot import score_folder
from flows.runners import PrefectRunner
from planning.job_from_request import names_of
from planning.requests import LotRequest
from planning.task_results import ScoredLot


def run_name() -> str:
    """What a person reads in the list of runs."""
    parameters = runtime.flow_run.parameters
    lot, _ = names_of(parameters["folder"], parameters.get("lot"), parameters.get("category"))
    return f"score {lot}"


@flow(
    name="score-lot",
    flow_run_name=run_name,
    task_runner=one_at_a_time(),
    on_failure=[failed],
    on_crashed=[crashed],
)
@takes(LotRequest)
def score_lot(request: LotRequest) -> ScoredLot:
    """Score the images of one product in a folder against each other.

    Returns:
        Where the results lie, counts, and a sentence for each thing beside the scores that went wrong.

    Raises:
        ValueError: for an option out of range, by name, before any work.
        NoImagesError: if fewer than two images can be scored, or none where there are references from earlier runs.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    return score_folder(request, PrefectRunner())
