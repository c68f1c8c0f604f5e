"""The commands. Flows and torch are imported inside them, so that `musc --help` answers at once."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import typer

from cli import options
from cli.environment import prepare_environment
from cli.interruption import stop_on_signals
from cli.options import given

app = typer.Typer(
    help="Find defective parts in unlabelled lots of images (MuSc, ICLR 2024).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

BAD_INPUT = 2
FAILED = 1


@app.command()
def score(
    folder: Annotated[str, typer.Argument(help="Path or URL of a folder with images of one product.")],
    output: options.Output = None,
    lot: Annotated[str | None, typer.Option(help="Name of these images. Default: the folder's name.")] = None,
    category: Annotated[str | None, typer.Option(help="Name of the product. Default: the lot's name.")] = None,
    backbone: options.Backbone = None,
    weights: options.Weights = None,
    image_size: options.ImageSize = None,
    layers: options.Layers = None,
    quick_gelu: options.QuickGelu = None,
    position_antialias: options.PositionAntialias = None,
    precision: options.Precision = None,
    degrees: options.Degrees = None,
    interval: options.Interval = None,
    window_sizes: options.WindowSizes = None,
    references: options.References = None,
    seed: options.Seed = None,
    window: options.Window = None,
    references_from: options.ReferencesFrom = None,
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
    false_alarms: options.FalseAlarms = None,
    review_budget: options.ReviewBudget = None,
    threshold: options.Threshold = None,
    rescore_groups: options.RescoreGroups = None,
    maps: options.Maps = None,
    engine: options.Engine = None,
    dask_address: options.DaskAddress = None,
    workers: options.Workers = None,
    verbose: options.Verbose = False,
) -> None:
    """Score the images of one product against each other; run it again to go on after a stop."""
    parameters = given(locals())
    prepare_environment(verbose=verbose)
    reporting_errors(lambda: run_score(parameters))


@app.command()
def benchmark(
    dataset: Annotated[str, typer.Argument(help="mvtec_ad, visa, btad, mvtec_loco, or folder (MVTec AD's layout).")],
    root: Annotated[str, typer.Argument(help="Local folder of the dataset.")],
    output: options.Output = None,
    categories: options.Categories = None,
    backbones: options.Backbones = None,
    weights: options.Weights = None,
    image_size: options.ImageSize = None,
    layers: options.Layers = None,
    quick_gelu: options.QuickGelu = None,
    position_antialias: options.PositionAntialias = None,
    precision: options.Precision = None,
    degrees: options.Degrees = None,
    interval: options.Interval = None,
    window_sizes: options.WindowSizes = None,
    references: options.References = None,
    window: options.Window = None,
    subsets: Annotated[
        int | None,
        typer.Option(help="Parts in which each category is scored. Default: 1.", rich_help_panel=options.METHOD),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Deals images to subsets, draws references. Default: 0.", rich_help_panel=options.METHOD),
    ] = None,
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
    engine: options.Engine = None,
    dask_address: options.DaskAddress = None,
    workers: options.Workers = None,
    verbose: options.Verbose = False,
) -> None:
    """Score every category of a labelled dataset and compare with published numbers; run it again to go on."""
    parameters = given(locals())
    prepare_environment(verbose=verbose)
    reporting_errors(lambda: run_benchmark(parameters))


@app.command()
def plan(
    folder: Annotated[str, typer.Argument(help="Path or URL of a folder with images of one product.")],
    backbone: options.Backbone = None,
    weights: options.Weights = None,
    image_size: options.ImageSize = None,
    layers: options.Layers = None,
    degrees: options.Degrees = None,
    references: options.References = None,
    window: options.Window = None,
    references_from: options.ReferencesFrom = None,
    output: options.Output = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
) -> None:
    """Print what scoring a folder would cost: memory, disk, operations and time. Computes and stores nothing."""
    parameters = given(locals())
    prepare_environment(verbose=False)
    reporting_errors(lambda: run_plan(parameters))


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="Folder of a finished run or benchmark, as printed at its end.")],
) -> None:
    """Print the results of a finished run or benchmark again."""
    reporting_errors(lambda: run_report(run))


@app.command()
def clean(
    store: Annotated[str, typer.Argument(help="Path or URL of a store, the --output of earlier runs.")],
    older_than: Annotated[float, typer.Option(help="Days; what was written later is kept.", metavar="DAYS")] = 7.0,
    delete: Annotated[bool, typer.Option("--delete", help="Delete, instead of only saying what would be.")] = False,
) -> None:
    """Find drafts of killed runs and features that no run uses; runs, metrics and benchmarks are never touched."""
    reporting_errors(lambda: run_clean(store, older_than, really=delete))


@app.command()
def nightly(
    root: Annotated[str, typer.Argument(help="Path or URL of a folder with lots as <category>/<date>/…images.")],
    output: options.Output = None,
    category: Annotated[str | None, typer.Option(help="Only this product. Default: all.")] = None,
    since: Annotated[
        Any,
        typer.Option(parser=date.fromisoformat, metavar="DATE", help="Leave out lots of earlier dates, 2026-11-21."),
    ] = None,
    backbone: options.Backbone = None,
    weights: options.Weights = None,
    image_size: options.ImageSize = None,
    layers: options.Layers = None,
    quick_gelu: options.QuickGelu = None,
    position_antialias: options.PositionAntialias = None,
    precision: options.Precision = None,
    degrees: options.Degrees = None,
    interval: options.Interval = None,
    window_sizes: options.WindowSizes = None,
    references: options.References = None,
    seed: options.Seed = None,
    window: options.Window = None,
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
    false_alarms: options.FalseAlarms = None,
    review_budget: options.ReviewBudget = None,
    threshold: options.Threshold = None,
    rescore_groups: options.RescoreGroups = None,
    maps: options.Maps = None,
    engine: options.Engine = None,
    dask_address: options.DaskAddress = None,
    workers: options.Workers = None,
    verbose: options.Verbose = False,
) -> None:
    """Score every lot below a folder that has no finished result yet, as the scheduled deployment does."""
    parameters = given(locals())
    prepare_environment(verbose=verbose)
    reporting_errors(lambda: run_nightly(parameters))


@app.command()
def automations(
    silence: Annotated[
        int, typer.Option(help="Seconds without a heartbeat after which a run counts as crashed; at least 90.")
    ] = 300,
) -> None:
    """Have the Prefect server mark runs as crashed whose process or machine is gone; run it once, or again."""
    prepare_environment(verbose=False)
    reporting_errors(lambda: run_automations(silence))


@app.command()
def rescore(
    run: Annotated[str, typer.Argument(help="Folder of a finished run, as printed at its end.")],
    folder: Annotated[str | None, typer.Option(help="Where its images lie now. Default: where they lay.")] = None,
    weights: Annotated[str | None, typer.Option(help="Tag or local file of its weights. Default: as recorded.")] = None,
) -> None:
    """Repeat a past run from its record, all features included; exit status 1 if any score is not identical."""
    prepare_environment(verbose=False)
    reporting_errors(lambda: run_rescore(run, folder, weights))


@app.command()
def demo(
    output: Annotated[str, typer.Option(help="Folder for the generated lot and its results.")] = "musc-demo",
    seed: Annotated[int, typer.Option(help="Which lot to draw.")] = 0,
    verbose: options.Verbose = False,
) -> None:
    """Draw a small lot of parts with planted defects, score it without weights, and compare with the known defects."""
    prepare_environment(verbose=verbose)
    reporting_errors(lambda: run_demo(output, seed))


def run_score(parameters: dict[str, Any]) -> None:
    """Check the options, score, and print the ranking."""
    from tasks.prepare import prepare

    job = prepare(**parameters)
    from cli.console import watching
    from cli.tables import show_run
    from flows.score_lot import score_lot

    with watching():
        done = score_lot(**parameters)
    show_run(job.store, done["run"], done["problems"])


def run_benchmark(parameters: dict[str, Any]) -> None:
    """Score, measure, and print the table; categories that failed are named after it."""
    from cli.console import watching
    from cli.tables import show_benchmark
    from flows.benchmark import BenchmarkFailedError
    from flows.benchmark import benchmark as run
    from tasks.prepare import DEFAULT_OUTPUT

    store = parameters.get("output", DEFAULT_OUTPUT)
    try:
        with watching():
            done = run(**parameters)
    except BenchmarkFailedError as failure:
        if failure.path:
            show_benchmark(store, failure.path)
        raise
    show_benchmark(store, done["benchmark"])


def run_plan(parameters: dict[str, Any]) -> None:
    """Count the images, add up, time a short trial, and print."""
    from cli.tables import show_plan
    from storage.lots import list_folder, require_enough, usable_images
    from tasks.calibrate import forecast_lot, scoring_rate
    from tasks.prepare import prepare
    from tasks.references import earlier_references

    job = prepare(**parameters)
    images = list_folder(job.folder)
    require_enough(images, job.folder, job.least_images)
    usable = usable_images(images)
    cost = forecast_lot(job, len(usable), sum(len(rows.rows) for rows in earlier_references(job, usable)))
    show_plan(cost, job, cost.operations / scoring_rate(job.backbone.grid, cost.width, job.settings.window))


def run_report(path: str) -> None:
    """Print a stored ranking or table of metrics."""
    from cli.tables import show_stored

    show_stored(path)


def run_clean(url: str, older_than_days: float, *, really: bool) -> None:
    """Show what a store could do without, or delete it."""
    from cli.cleaning import run

    run(url, older_than_days, really=really)


def run_nightly(parameters: dict[str, Any]) -> None:
    """Score what is not finished and print what came out."""
    from cli.night import run_nightly as run

    run(parameters)


def run_automations(silence: int) -> None:
    """Create the automation on the server that is set, and say so."""
    from prefect.settings import PREFECT_API_URL

    from tasks.automations import NAME, create_automations

    if not PREFECT_API_URL.value():
        raise ValueError(
            "PREFECT_API_URL must be set to a running server's address, got none; "
            "run `prefect config set PREFECT_API_URL=http://<host>:4200/api`"
        )
    typer.echo(f"{NAME}: {create_automations(silence)}")


def run_rescore(path: str, folder: str | None, weights: str | None) -> None:
    """Repeat a run; scores that are not identical are the command's failure."""
    from cli.rescore import run

    if not run(path, folder, weights):
        raise typer.Exit(FAILED)


def run_demo(output: str, seed: int) -> None:
    """Draw the lot, score it, print the ranking and the metrics."""
    from cli.demo import run

    run(output, seed)


def reporting_errors(action: Callable[[], None]) -> None:
    """Run a command; what a user can mend is said in one line with an exit code, never as a traceback."""
    from storage.errors import StorageError

    stop_on_signals()
    try:
        action()
    except typer.Exit:  # itself a RuntimeError
        raise
    except (ValueError, StorageError, MemoryError, FileNotFoundError) as error:
        fail(str(error), BAD_INPUT)
    except (RuntimeError, OSError) as error:
        fail(str(error), FAILED)


def fail(message: str, code: int) -> None:
    """Say what went wrong and leave with an exit code."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)


def main() -> None:
    """The console command."""
    app()
