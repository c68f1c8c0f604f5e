"""The commands and their options; what each does is in `cli.commands`."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import typer

import musc
from cli import options
from cli.commands import actions
from cli.options import given
from cli.process.environment import prepare_environment
from cli.process.errors import reporting_errors
from cli.terminal.opening import announce

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def starting_up(action: Callable[[], None], parameters: dict[str, Any] | None = None, *, verbose: bool = False) -> None:
    """Run a command that loads torch; say before that what is going to be done, and where it runs.

    Args:
        action: the command.
        parameters: of a command that scores; get the engine that is used.
        verbose: show Prefect's own messages, and tracebacks.
    """

    def announced() -> None:
        if parameters is not None:
            announce(parameters)
        action()

    prepare_environment(verbose=verbose)
    reporting_errors(announced, verbose=verbose)


def show_version(wanted: bool) -> None:
    """Print the version and end, before any command."""
    if wanted:
        typer.echo(f"musc {musc.__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find defective parts in unlabelled lots of images (MuSc, ICLR 2024)."""


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
    rscin_windows: options.WindowSizes = None,
    references: options.References = None,
    seed: options.Seed = None,
    match_radius: options.Window = None,
    references_from: options.ReferencesFrom = None,
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
    false_alarms: options.FalseAlarms = None,
    review_budget: options.ReviewBudget = None,
    threshold: options.Threshold = None,
    exclude_groups: options.RescoreGroups = None,
    maps: options.Maps = None,
    engine: options.Engine = None,
    dask_address: options.DaskAddress = None,
    workers: options.Workers = None,
    verbose: options.Verbose = False,
) -> None:
    """Score the images of one product against each other; run it again to go on after a stop."""
    parameters = given(locals())
    starting_up(lambda: actions.score(parameters), parameters, verbose=verbose)


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
    rscin_windows: options.WindowSizes = None,
    references: options.References = None,
    match_radius: options.Window = None,
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
    starting_up(lambda: actions.benchmark(parameters), parameters, verbose=verbose)


@app.command()
def plan(
    folder: Annotated[str, typer.Argument(help="Path or URL of a folder with images of one product.")],
    backbone: options.Backbone = None,
    weights: options.Weights = None,
    image_size: options.ImageSize = None,
    layers: options.Layers = None,
    degrees: options.Degrees = None,
    references: options.References = None,
    match_radius: options.Window = None,
    references_from: options.ReferencesFrom = None,
    output: options.Output = None,
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
    exclude_groups: options.RescoreGroups = None,
    engine: options.Engine = None,
    dask_address: options.DaskAddress = None,
    workers: options.Workers = None,
) -> None:
    """Print what scoring a folder would cost: memory, disk, operations and time. Computes and stores nothing."""
    parameters = given(locals())
    starting_up(lambda: actions.plan(parameters))


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="Folder of a finished run or benchmark, as printed at its end.")],
) -> None:
    """Print the results of a finished run or benchmark again."""
    reporting_errors(lambda: actions.report(run))


@app.command()
def clean(
    store: Annotated[str, typer.Argument(help="Path or URL of a store, the --output of earlier runs.")],
    older_than: Annotated[float, typer.Option(help="Days; what was written later is kept.", metavar="DAYS")] = 7.0,
    delete: Annotated[bool, typer.Option("--delete", help="Delete, instead of only saying what would be.")] = False,
) -> None:
    """Find what killed runs left and features that no run uses; runs, metrics and benchmarks are never touched."""
    reporting_errors(lambda: actions.clean(store, older_than, really=delete))


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
    rscin_windows: options.WindowSizes = None,
    references: options.References = None,
    seed: options.Seed = None,
    match_radius: options.Window = None,
    device: options.Device = None,
    memory: options.Memory = None,
    block_images: options.BlockImages = None,
    store_aggregated: options.StoreAggregated = None,
    false_alarms: options.FalseAlarms = None,
    review_budget: options.ReviewBudget = None,
    threshold: options.Threshold = None,
    exclude_groups: options.RescoreGroups = None,
    maps: options.Maps = None,
    engine: options.Engine = None,
    dask_address: options.DaskAddress = None,
    workers: options.Workers = None,
    verbose: options.Verbose = False,
) -> None:
    """Score every lot below a folder that has no finished result yet, as the scheduled deployment does."""
    parameters = given(locals())
    starting_up(lambda: actions.nightly(parameters), parameters, verbose=verbose)


@app.command()
def automations(
    silence: Annotated[
        int, typer.Option(help="Seconds without a heartbeat after which a run counts as crashed; at least 90.")
    ] = 300,
) -> None:
    """Have the Prefect server mark runs as crashed whose process or machine is gone; run it once, or again."""
    starting_up(lambda: actions.automations(silence))


@app.command()
def rescore(
    run: Annotated[str, typer.Argument(help="Folder of a finished run, as printed at its end.")],
    folder: Annotated[str | None, typer.Option(help="Where its images lie now. Default: where they lay.")] = None,
    weights: Annotated[str | None, typer.Option(help="Tag or local file of its weights. Default: as recorded.")] = None,
) -> None:
    """Repeat a past run from its record, all features included; exit status 1 if any score is not identical."""
    starting_up(lambda: actions.rescore(run, folder, weights), {})


@app.command()
def demo(
    output: Annotated[str, typer.Option(help="Folder for the generated lot and its results.")] = "musc-demo",
    seed: Annotated[int, typer.Option(help="Which lot to draw.")] = 0,
    verbose: options.Verbose = False,
) -> None:
    """Draw a small lot of parts with planted defects, score it, and compare with the known defects."""
    starting_up(lambda: actions.demo(output, seed), {}, verbose=verbose)


def main() -> None:
    """The console command."""
    app()
