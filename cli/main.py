"""The commands. Flows and torch are imported inside them, so that `musc --help` answers at once."""

from collections.abc import Callable
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
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
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
    subsets: Annotated[
        int | None,
        typer.Option(help="Parts in which each category is scored. Default: 1.", rich_help_panel=options.METHOD),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Deals images to subsets. Default: 0.", rich_help_panel=options.METHOD)
    ] = None,
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
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
    show_run(job.store, done["run"])


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

    job = prepare(**parameters)
    images = list_folder(job.folder)
    require_enough(images, job.folder)
    cost = forecast_lot(job, len(usable_images(images)))
    show_plan(cost, job, cost.operations / scoring_rate(cost.patch_count, cost.width))


def run_report(path: str) -> None:
    """Print a stored ranking or table of metrics."""
    from cli.tables import show_stored

    show_stored(path)


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
