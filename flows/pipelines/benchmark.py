"""A benchmark: every category of a labelled dataset, on whatever runner. Nothing here knows Prefect."""

import logging
from collections.abc import Callable, Sequence

from flows.pipelines.lot import score_listed, with_region
from planning.benchmark import benchmark_jobs
from planning.lot_job import LotJob
from planning.requests import BenchmarkRequest
from planning.resources import Engine
from planning.task_results import Benchmarked
from reports.sentences import counted
from storage.datasets import left_out_of_dataset
from storage.datasets.stored_categories import read_category, write_category
from storage.store import Store, begin_results
from tasks.evaluate import benchmark_name, evaluate_category, evaluate_spec, write_benchmark
from tasks.ingest import list_category
from tasks.runtime import progress
from tasks.runtime.run_stage import format_failures, run_stage
from tasks.runtime.runner import Runner

log = logging.getLogger(__name__)

ScoreCategory = Callable[[str, LotJob, Engine], str]
"""Path of the category in the store, job and engine -> path of the category's metrics in the store."""


class BenchmarkFailedError(RuntimeError):
    """Some categories failed; the rows of all others are written."""

    def __init__(self, failures: Sequence[tuple[str, str]], count: int, path: str | None) -> None:
        failed = f"{len(failures)} of {counted(count, 'category', 'categories')}"
        others = f"the others are in {path}" if path else "nothing was measured"
        super().__init__(f"{failed} failed, {others}: {format_failures(failures)}")
        self.path = path
        """Of the table in the store, if any category was measured."""


def score_dataset(request: BenchmarkRequest, runner: Runner, score_category: ScoreCategory) -> Benchmarked:
    """Score and measure all categories, and write the table; see `flows.benchmark`.

    Args:
        runner: where the table is made; opens the workers that categories share.
    """
    jobs = benchmark_jobs(request)
    store = Store(jobs[0].job.store)
    begin_results(store, request.root)
    not_read = left_out_of_dataset(request.dataset, request.root, request.categories)
    if not_read:
        log.warning(not_read)
        progress.doing(not_read)
    measured, failures = [], []
    with runner.shared(jobs[0].job.allocation.engine) as shared:
        for job, category in jobs:
            try:
                path = score_category(write_category(store, category), job, shared)
                measured.append((job, request.dataset, path))
            except Exception as error:  # one category must not take the others with it
                log.error("%s with %s failed: %s", job.category, job.backbone.name, error)
                failures.append((f"{job.category} with {job.backbone.name}", str(error)))
    if not measured:
        raise BenchmarkFailedError(failures, len(jobs), None)
    in_regions = [path for job, _, path in measured if job.region is not None]
    name = benchmark_name(request.dataset, [job for job, _ in jobs], in_regions)
    table = runner.call("compare", name, write_benchmark, store.url, name, measured, not_read)
    runner.monitor.benchmark(store, table.benchmark, request.dataset)
    if failures:
        raise BenchmarkFailedError(failures, len(jobs), table.benchmark)
    return table


def measure_one(category: str, job: LotJob, engine: Engine, runner: Runner) -> str:
    """List, score and measure one category.

    Args:
        category: its path in the store.

    Returns:
        The path of its metrics in the store.
    """
    labels = read_category(Store(job.store), category)
    log.info("%s is scored with %s", labels.name, job.backbone.name)
    if job.of_product:
        progress.doing(f"{labels.name} is scored with {job.of_product.text}")
    listing = runner.call("list", labels.name, list_category, job.folder, category, job.store, job.shuffle_seed)
    job = with_region(job, listing.lot_key, runner)
    run = score_listed(job, listing.lot_key, runner, engine)
    return run_stage("evaluate", evaluate_category, [evaluate_spec(job, category, run)], runner)[0].path
