"""Reproduce a past run in a store of its own, on whatever runner. Nothing here knows Prefect."""

from tempfile import TemporaryDirectory

from flows.pipelines.lot import score_listed
from reports.recorded_job import Reproduction, bring_references, compare_runs, listed_again, recorded_job
from storage.results.runs import Run, run_at
from storage.store import Store
from tasks.runtime.runner import Runner


def reproduce(run: str, folder: str | None, weights: str | None, runner: Runner) -> Reproduction:
    """Compute a past run again; see `flows.reproduce_run`."""
    past = run_at(run)
    with TemporaryDirectory(prefix="musc-reproduce-") as scratch:
        job = recorded_job(past, scratch, folder=folder, weights=weights)
        bring_references(past, job)
        again = score_listed(job, listed_again(past, job), runner, published=False)
        return compare_runs(past, Run(Store(scratch), again.run))
