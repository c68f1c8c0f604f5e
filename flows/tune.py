"""Choose the settings of a product by the verdicts about its photographs."""

from prefect import flow

from flows.failed_runs import crashed, failed
from flows.one_thread import one_at_a_time
from flows.parameters import takes
from flows.pipelines.tune import tune_product
from flows.runners import PrefectRunner
from planning.task_results import Tuned
from planning.tuning.request import TuneRequest


@flow(
    name="tune",
    flow_run_name="tune {category}",
    task_runner=one_at_a_time(),
    on_failure=[failed],
    on_crashed=[crashed],
)
@takes(TuneRequest)
def tune(request: TuneRequest) -> Tuned:
    """Score the judged lots of a product with every choice of a grid, and find the one that is surely better.

    Returns:
        Where the comparison lies in the store, and which lots could not be used.

    Raises:
        TooFewVerdictsError: if there are fewer than five verdicts of a kind, before any work.
        ValueError: for an option out of range, by name, before any work.
    """
    return tune_product(request, PrefectRunner())
