"""How a command runs: in this process or on Dask workers without Prefect, or as a flow that a Prefect server records.

Inline unless an API is configured (`cli.process.prefect_api`) or `--engine` says otherwise; Dask without an API does
without Prefect, as nobody could look. All ways run the same pipeline on the same store, so one goes on where another
stopped.
"""

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cli.process.prefect_api import VARIABLE, ConfiguredApi, configured_api, require_answer
from cli.process.prefect_files import require_readable_settings
from planning.requests import BenchmarkRequest, ComputingRequest, LotRequest, NightRequest, WatchRequest
from planning.resources import EngineName, Resources, allocate
from planning.task_results import Benchmarked, ScoredLot

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from flows.pipelines.watch import Started
    from planning.nights.outcomes import LotOutcome, Night
    from planning.task_results import Tuned
    from planning.tuning.request import TuneRequest
    from reports.recorded_job import Reproduction
    from storage.results.arrivals import Arrival, Arrivals
    from tasks.runtime.runner import Runner

AnyComputing = TypeVar("AnyComputing", bound=ComputingRequest)


def resolve_engine(requested: EngineName | None) -> EngineName:
    """The engine a command uses: the one asked for, else `threads` where an API is configured, else `inline`.

    Raises:
        ConnectionError: if the configured API is needed and does not answer.
        ValueError: if Prefect is needed and could not be loaded.
    """
    api = configured_api()
    engine = requested or ("threads" if api else "inline")
    if is_flow(engine):
        require_readable_settings()
        if api:
            require_answer(api)
    return engine


def is_flow(engine: EngineName) -> bool:
    """Whether Prefect runs the pipeline: on threads always, on Dask workers where an API is configured."""
    return engine == "threads" or (engine == "dask" and configured_api() is not None)


def runner_without_prefect(resources: Resources) -> "Runner | None":
    """What runs the pipeline itself, workers on their way; None where it runs as a flow of Prefect."""
    engine = resources.engine or "inline"
    if engine == "dask":
        from flows import dask_cluster

        further = dask_cluster.OF_PREFECT if is_flow(engine) else ()
        dask_cluster.prepare(allocate(resources).engine, further)
    if is_flow(engine):
        return None
    if engine == "dask":
        from flows.dask_runner import DaskRunner

        return DaskRunner()
    from tasks.runtime.runner import InlineRunner

    return InlineRunner()


def with_engine(request: AnyComputing) -> AnyComputing:
    """The request with its engine chosen."""
    engine = resolve_engine(request.resources.named_engine)
    return request.changed(resources=request.resources.changed(engine=engine))


def score_lot(request: LotRequest) -> ScoredLot:
    """Score one folder."""
    if runner := runner_without_prefect(request.resources):
        from flows.pipelines.lot import score_folder

        return score_folder(request, runner)
    from flows.score_lot import score_lot as flow

    return flow(**dict(request))


def run_benchmark(request: BenchmarkRequest) -> Benchmarked:
    """Score and measure a dataset."""
    if runner := runner_without_prefect(request.resources):
        from flows.pipelines.benchmark import measure_one, score_dataset

        return score_dataset(request, runner, partial(measure_one, runner=runner))
    from flows.benchmark import benchmark

    return benchmark(**dict(request))


def score_lots(request: NightRequest, show: "Callable[[LotOutcome], None]") -> "Night":
    """Score what is not finished; where it is done without Prefect, tell what came of each lot at once."""
    if runner := runner_without_prefect(request.resources):
        from flows.pipelines.lot import score_folder
        from flows.pipelines.night import score_night

        return score_night(request, runner, partial(score_folder, runner=runner), show)
    from flows.score_lots import score_lots as flow

    return flow(**dict(request))


def tune(request: "TuneRequest") -> "Tuned":
    """Choose settings of a product by verdicts."""
    if runner := runner_without_prefect(request.resources):
        from flows.pipelines.tune import tune_product

        return tune_product(request, runner)
    from flows.tune import tune as flow

    return flow(**dict(request))


def event_api(request: WatchRequest) -> ConfiguredApi | None:
    """The API that is told of flagged photographs, if any is to be.

    Raises:
        ConnectionError: if it does not answer.
        ValueError: if one is asked for and none is configured, or if Prefect could not be loaded.
    """
    api = configured_api() if request.events is not False else None
    if api is None:
        if request.events:
            raise ValueError(f"events must go with a configured API of Prefect, got none; set {VARIABLE} to one")
        return None
    require_readable_settings()
    require_answer(api, "--no-events")
    return api


def watch_folder(
    request: WatchRequest, stop: "threading.Event", show: "Callable[[Started | Arrival], None]", *, emitting: bool
) -> "Arrivals":
    """Score what comes to a folder, in this process."""
    from flows.pipelines.watch import watch_folder as pipeline
    from tasks.runtime.runner import InlineRunner

    receivers = []
    if emitting:
        from tasks.monitoring.events import emit_flagged

        receivers.append(emit_flagged)
    return pipeline(request, InlineRunner(), stop, show, receivers)


def reproduce_run(run: str, folder: str | None, weights: str | None, engine: EngineName) -> "Reproduction":
    """Compute a past run again."""
    if engine == "inline":
        from flows.pipelines.reproduction import reproduce
        from tasks.runtime.runner import InlineRunner

        return reproduce(run, folder, weights, InlineRunner())
    from flows.reproduce_run import reproduce_run as flow

    return flow(run, folder, weights)
