"""Benchmark: score every category of a labelled dataset and compare with labels, masks and published numbers."""

from prefect import flow

from flows.failed_runs import crashed, failed
from flows.one_thread import one_at_a_time
from flows.parameters import takes
from flows.pipelines.benchmark import measure_one, score_dataset
from flows.runners import PrefectRunner
from planning.lot_job import LotJob
from planning.requests import BenchmarkRequest
from planning.resources import Engine
from planning.task_results import Benchmarked


@flow(
    name="benchmark-category",
    flow_run_name="{job.category} {job.backbone.name}",
    task_runner=one_at_a_time(),
    validate_parameters=False,
    on_failure=[failed],
    on_crashed=[crashed],
)
def benchmark_category(category: str, job: LotJob, engine: Engine) -> str:
    """Score one category, whose list lies at a path in the store, and measure it.

    Returns:
        The path of its metrics in the store.
    """
    return measure_one(category, job, engine, PrefectRunner())


@flow(name="benchmark", flow_run_name="benchmark {dataset}", task_runner=one_at_a_time(), on_crashed=[crashed])
@takes(BenchmarkRequest)
def benchmark(request: BenchmarkRequest) -> Benchmarked:
    """Score the categories of a dataset, each as one lot, and compare with published numbers.

    Returns:
        Where the table of metrics lies.

    Raises:
        DatasetLayoutError: if the root does not have the dataset's layout, naming every problem, before any work.
        ValueError: for an option out of range, by name, before any work.
        BenchmarkFailedError: at the end, if categories failed; the rows of the others are written.
    """
    return score_dataset(request, PrefectRunner(), benchmark_category)
