"""A benchmark: every category of a labelled dataset, on whatever runner. Nothing here knows Prefect."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flows.pipelines.lot import score_listed
from storage.datasets import list_categories
from storage.store import Store
from tasks.evaluate import benchmark_name, evaluate_category, evaluate_spec, write_benchmark
from tasks.ingest import list_category
from tasks.planning.benchmark import benchmark_jobs
from tasks.planning.job import LotJob
from tasks.planning.resources import Engine
from tasks.runtime.runner import Runner
from tasks.runtime.stage import format_failures, run_stage

log = logging.getLogger(__name__)

ScoreCategory = Callable[[str, LotJob, int, Engine], str]
"""Dataset, job, seed and engine -> the path of the category's metrics in the store."""


class BenchmarkFailedError(RuntimeError):
    """Some categories failed; the rows of all others are written."""

    def __init__(self, failures: Sequence[tuple[str, str]], count: int, path: str | None) -> None:
        rest = f"the others are in {path}" if path else "nothing was measured"
        super().__init__(f"{len(failures)} of {count} categories failed, {rest}: {format_failures(failures)}")
        self.path = path
        """Of the table in the store, if any category was measured."""


def score_dataset(parameters: Mapping[str, Any], runner: Runner, score_category: ScoreCategory) -> dict[str, Any]:
    """Score and measure all categories, and write the table; see `flows.benchmark`.

    Args:
        parameters: of `flows.benchmark`, by name.
        runner: where the table is made; opens the workers that categories share.
        score_category: scores and measures one of them.
    """
    jobs = benchmark_jobs(**parameters)
    dataset, seed = parameters["dataset"], jobs[0].settings.seed
    measured, failures = [], []
    with runner.shared(jobs[0].engine) as shared:
        for job in jobs:
            try:
                measured.append((job, dataset, score_category(dataset, job, seed, shared)))
            except Exception as error:  # one category must not take the others with it
                log.error("%s with %s failed: %s", job.category, job.backbone.name, error)
                failures.append((f"{job.category} with {job.backbone.name}", str(error)))
    if not measured:
        raise BenchmarkFailedError(failures, len(jobs), None)
    store, name = jobs[0].store, benchmark_name(dataset, jobs, seed)
    done: dict[str, Any] = runner.call("compare", name, write_benchmark, store, name, measured)
    runner.monitor.benchmark(Store(store), done["benchmark"], dataset)
    if failures:
        raise BenchmarkFailedError(failures, len(jobs), done["benchmark"])
    return done


def measure_one(dataset: str, job: LotJob, seed: int, engine: Engine, runner: Runner) -> str:
    """List, score and measure one category.

    Returns:
        The path of its metrics in the store.
    """
    (category,) = list_categories(dataset, job.folder, [job.category])
    listing = runner.call("list", category.name, list_category, job.folder, category, job.store, job.subsets > 1, seed)
    run = score_listed(job, listing["lot_key"], runner, engine)
    return str(run_stage("measure", evaluate_category, [evaluate_spec(job, category, run)], runner)[0]["path"])
