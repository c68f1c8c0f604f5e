"""What each command does. Flows and torch are imported inside, so that `musc --help` answers at once."""

from typing import Any

import typer

from cli.process.engines import run_benchmark, score_lot
from cli.process.errors import FAILED


def score(parameters: dict[str, Any]) -> None:
    """Check the options and look whether the lot and the memory can suffice, then score and print the ranking."""
    from storage.images.listing import require_images
    from storage.store import Store, require_writable
    from tasks.planning.estimate import project_cost
    from tasks.planning.job import prepare

    job = prepare(**parameters)
    require_writable(Store(job.store))
    require_images(job.folder, job.min_images)
    project_cost(job, job.min_images)
    from cli.terminal.progress import watching
    from cli.terminal.tables import show_run

    with watching():
        done = score_lot(**parameters)
    show_run(job.store, done["run"], done["problems"])


def benchmark(parameters: dict[str, Any]) -> None:
    """Check the options, score, measure, and print the table; categories that failed are named after it."""
    from storage.store import Store, require_writable
    from tasks.planning.benchmark import benchmark_jobs

    store = benchmark_jobs(**parameters)[0].store
    require_writable(Store(store))
    from cli.terminal.progress import watching
    from cli.terminal.tables import show_benchmark
    from flows.pipelines.dataset import BenchmarkFailedError

    try:
        with watching():
            done = run_benchmark(**parameters)
    except BenchmarkFailedError as failure:
        if failure.path:
            show_benchmark(store, failure.path)
        raise
    show_benchmark(store, done["benchmark"])


def plan(parameters: dict[str, Any]) -> None:
    """Count the images, add up, time a short trial, and print."""
    from cli.terminal.tables import show_plan
    from storage.images.listing import list_folder
    from storage.images.lots import require_enough, usable_images
    from tasks.planning.estimate import project_cost, scoring_seconds
    from tasks.planning.job import prepare
    from tasks.planning.references import earlier_references

    job = prepare(**parameters)
    images = list_folder(job.folder)
    require_enough(images, job.folder, job.min_images)
    usable = usable_images(images)
    cost = project_cost(job, len(usable), sum(len(rows.rows) for rows in earlier_references(job, usable)))
    show_plan(cost, job, scoring_seconds(cost, job))


def report(path: str) -> None:
    """Print a stored ranking or table of metrics."""
    from cli.terminal.tables import show_stored
    from storage.secrets import require_no_secret

    require_no_secret("run", path)
    show_stored(path)


def clean(url: str, older_than_days: float, *, really: bool) -> None:
    """Show what a store could do without, or delete it."""
    from cli.commands.clean import run
    from storage.secrets import require_no_secret

    require_no_secret("store", url)
    run(url, older_than_days, really=really)


def nightly(parameters: dict[str, Any]) -> None:
    """Check the options, score what is not finished, and print what came out."""
    from storage.store import Store, require_writable
    from tasks.planning.nightly import night_job

    store = Store(night_job(**parameters).store)
    require_writable(store)
    from cli.commands.nightly import run_nightly as run

    run(store, parameters)


def automations(silence: int) -> None:
    """Create the automation on the server that is set, and say so."""
    from prefect.settings import PREFECT_API_URL

    from tasks.monitoring.automations import NAME, create_automations

    if not PREFECT_API_URL.value():
        raise ValueError(
            "PREFECT_API_URL must be set to a running server's address, got none; "
            "run `prefect config set PREFECT_API_URL=http://<host>:4200/api`"
        )
    typer.echo(f"{NAME}: {create_automations(silence)}")


def rescore(path: str, folder: str | None, weights: str | None) -> None:
    """Repeat a run; scores that are not identical are the command's failure."""
    from cli.commands.reproduce import run
    from storage.secrets import require_no_secret

    for option, place in (("run", path), ("folder", folder), ("weights", weights)):
        require_no_secret(option, place or "")
    if not run(path, folder, weights):
        raise typer.Exit(FAILED)


def demo(output: str, seed: int) -> None:
    """Draw the lot, score it, print the ranking and the metrics."""
    from cli.commands.demo import run

    run(output, seed)
