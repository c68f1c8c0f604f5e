"""How a command runs: inline without Prefect, or as a flow that a Prefect server records.

Inline unless an API is configured (`cli.process.prefect_api`) or `--engine` says otherwise. Both ways run the same
pipeline on the same store, so one goes on where the other stopped.
"""

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cli.process.prefect_api import VARIABLE, ConfiguredApi, configured_api, require_answer
from cli.process.prefect_files import require_readable_settings
from planning.requests import BenchmarkRequest, ComputingRequest, LotRequest, NightRequest, WatchRequest
from planning.resources import EngineName
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

AnyComputing = TypeVar("AnyComputing", bound=ComputingRequest)


def resolve_engine(requested: EngineName | None) -> EngineName:
    """The engine a command uses: the one asked for, else `threads` where an API is configured, else `inline`.

    Raises:
        ConnectionError: if the configured API is needed and does not answer.
        ValueError: if Prefect is needed and could not be loaded.
    """
    api = configured_api()
    engine = requested or ("threads" if api else "inline")
    if engine != "inline":
        require_readable_settings()
    if api and engine != "inline":
        require_answer(api)
    return engine


def with_engine(request: AnyComputing) -> AnyComputing:
    """The request with its engine chosen."""
    engine = resolve_engine(request.resources.named_engine)
    return request.changed(resources=request.resources.changed(engine=engine))


def score_lot(request: LotRequest) -> ScoredLot:
    """Score one folder."""
    if request.resources.engine == "inline":
        from flows.pipelines.lot import score_folder
        from tasks.runtime.runner import InlineRunner

        return score_folder(request, InlineRunner())
    from flows.score_lot import score_lot as flow

    return flow(**dict(request))


def run_benchmark(request: BenchmarkRequest) -> Benchmarked:
    """Score and measure a dataset."""
    if request.resources.engine == "inline":
        from flows.pipelines.benchmark import measure_one, score_dataset
        from tasks.runtime.runner import InlineRunner

        runner = InlineRunner()
        return score_dataset(request, runner, partial(measure_one, runner=runner))
    from flows.benchmark import benchmark

    return benchmark(**dict(request))


def score_lots(request: NightRequest, show: "Callable[[LotOutcome], None]") -> "Night":
    """Score what is not finished; where it is done without Prefect, tell what came of each lot at once."""
    if request.resources.engine == "inline":
        from flows.pipelines.lot import score_folder
        from flows.pipelines.night import score_night
        from tasks.runtime.runner import InlineRunner

        runner = InlineRunner()
        return score_night(request, runner, lambda one: score_folder(one, runner), show)
    from flows.score_lots import score_lots as flow

    return flow(**dict(request))


def tune(request: "TuneRequest") -> "Tuned":
    """Choose settings of a product by verdicts."""
    if request.resources.engine == "inline":
        from flows.pipelines.tune import tune_product
        from tasks.runtime.runner import InlineRunner

        return tune_product(request, InlineRunner())
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
