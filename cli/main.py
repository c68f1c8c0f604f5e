"""The commands; what each does is in `cli.commands`, imported when it runs, so that `musc --help` answers at once."""

from importlib import import_module
from typing import Annotated, Any, TypeVar

import typer

import musc
from cli.commands import verdicts
from cli.options_from_fields import Given, Verbose, takes
from cli.process.environment import prepare_environment
from cli.process.errors import reporting_errors
from cli.repeated_options import OneValueCommand
from cli.terminal.escaping import replace_unprintable
from planning.place import Place
from planning.requests import (
    BenchmarkRequest,
    LotRequest,
    NightRequest,
    WatchRequest,
    request_of,
)
from planning.tuning.request import TuneRequest
from storage.results.run_files import Language
from storage.results.site_address import USUAL_PORT

AnyScoring = TypeVar("AnyScoring", LotRequest, NightRequest, BenchmarkRequest)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(verdicts.app, name="verdicts")


def carry_out(command: str, *arguments: Any, verbosity: int = 0, **options: Any) -> None:
    """Call `run` of a module of `cli.commands`: imported when the environment is set, errors printed in one line."""

    def action() -> None:
        import_module(f"cli.commands.{command}").run(*arguments, **options)

    prepare_environment(verbosity)
    reporting_errors(action, verbose=verbosity > 0)


def score_what(kind: type[AnyScoring], command: str, given: Given, verbosity: int) -> None:
    """Carry out a command that scores: check its options, choose its engine, say what will be done, and do it.

    What computes is imported after that has been said.
    """

    def announced() -> None:
        from cli.process.engines import with_engine
        from cli.terminal.what_is_scored import announce, subject_of, where_of

        request = with_engine(request_of(kind, given))
        announce(subject_of(request), where_of(request.resources.engine or "inline"))
        import_module(f"cli.commands.{command}").run(request)

    prepare_environment(verbosity)
    reporting_errors(announced, verbose=verbosity > 0)


def show_version(requested: bool) -> None:
    """Print the version and end, before any command."""
    if requested:
        typer.echo(f"musc {musc.__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find defective parts in unlabelled lots of images (MuSc, ICLR 2024)."""


@app.command(cls=OneValueCommand)
@takes(LotRequest, "folder")
def score(given: Given, verbose: Verbose = 0) -> None:
    """Score the images of one product against each other; run it again to go on after a stop."""
    score_what(LotRequest, "score", given, verbose)


@app.command(cls=OneValueCommand)
@takes(BenchmarkRequest, "dataset", "root")
def benchmark(given: Given, verbose: Verbose = 0) -> None:
    """Score every category of a labelled dataset and compare with published numbers; run it again to go on."""
    score_what(BenchmarkRequest, "benchmark", given, verbose)


@app.command(cls=OneValueCommand)
@takes(NightRequest, "root")
def nightly(given: Given, verbose: Verbose = 0) -> None:
    """Score every lot below a folder that has no finished result yet, as the scheduled deployment does."""
    score_what(NightRequest, "nightly", given, verbose)


@app.command(cls=OneValueCommand)
@takes(NightRequest, "root")
def check(given: Given, verbose: Verbose = 0) -> None:
    """Look at all that the same line with `nightly` depends on: root, store, disk, clock, weights, device, server."""
    carry_out("check", given, verbosity=verbose)


@app.command(cls=OneValueCommand)
@takes(WatchRequest, "folder")
def watch(given: Given, verbose: Verbose = 0) -> None:
    """Score each new photograph of a folder within seconds, against --good photographs or an earlier run."""
    carry_out("watch", given, verbosity=verbose)


@app.command(cls=OneValueCommand)
@takes(LotRequest, "folder")
def plan(given: Given, verbose: Verbose = 0) -> None:
    """Print what the same line with `score` would cost: memory, disk, operations, time. Computes and stores nothing."""
    carry_out("plan", given, verbosity=verbose)


@app.command(cls=OneValueCommand)
@takes(TuneRequest, "category")
def tune(given: Given, verbose: Verbose = 0) -> None:
    """Find settings that suit a product better, by the verdicts about its photographs; run it again to go on."""
    carry_out("tune", given, verbosity=verbose)


@app.command(cls=OneValueCommand)
def show(
    run: Annotated[str, typer.Argument(help="Folder of a finished run or benchmark, as printed at its end.")],
) -> None:
    """Print the results of a finished run or benchmark again."""
    carry_out("show", run)


@app.command(cls=OneValueCommand)
def reproduce(
    run: Annotated[str, typer.Argument(help="Folder of a finished run, as printed at its end.")],
    folder: Annotated[str | None, typer.Option(help="Current folder of the images. Default: the recorded one.")] = None,
    weights: Annotated[str | None, typer.Option(help="Tag or local file of its weights. Default: as recorded.")] = None,
    verbose: Verbose = 0,
) -> None:
    """Compute a past run again from its record, all features included; exit status 1 if any score is not identical."""
    carry_out("reproduce", run, folder, weights, verbosity=verbose)


@app.command(cls=OneValueCommand)
def clean(
    store: Annotated[str, typer.Argument(help="Path or URL of a store, the --output of earlier runs.")],
    older_than: Annotated[float, typer.Option(help="Days; what was written later is kept.", metavar="DAYS")] = 7.0,
    delete: Annotated[bool, typer.Option("--delete", help="Delete, instead of only saying what would be.")] = False,
) -> None:
    """Find what killed runs left and features that no run uses; runs, metrics and benchmarks are never touched."""
    carry_out("clean", store, older_than, really=delete)


@app.command(cls=OneValueCommand)
def automations(
    silence: Annotated[
        int, typer.Option(help="Seconds without a heartbeat after which a run counts as crashed; at least 90.")
    ] = 300,
    alert: Annotated[
        str | None,
        typer.Option(
            help="Also send messages through this notification block of the server, such as slack-webhook/quality: "
            "about unusual nights, failed lots, nights that fail, do not start or do not end, and a pool without "
            "worker.",
            metavar="TYPE/NAME",
        ),
    ] = None,
    overdue: Annotated[
        float | None,
        typer.Option(
            help="With --alert: hours without the end of any night after which a message is sent. Default: 26, for a "
            "night a day.",
            metavar="HOURS",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Have the Prefect server mark runs as crashed whose process or machine is gone; run it once, or again."""
    carry_out("automations", silence, alert, overdue)


@app.command(cls=OneValueCommand)
@takes(Place)
def deploy(
    given: Given,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the server.", metavar="SECONDS")] = 180.0,
) -> None:
    """Bring variables, work pool, deployments and automations of the Prefect server up to date; any number of times."""
    carry_out("deploy", given, wait)


@app.command(cls=OneValueCommand)
def web(
    store: Annotated[str, typer.Argument(help="Path or URL of a store, the --output of earlier runs.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any but this machine's own needs a token, which is printed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = USUAL_PORT,
    address: Annotated[
        str,
        typer.Option(
            help="Behind a proxy: the site's whole address in a browser, such as https://factory.example/review.",
            metavar="URL",
            show_default=False,
        ),
    ] = "",
    root_path: Annotated[
        str,
        typer.Option(
            help="Behind a proxy that shows the site below a path: that path, such as /review.",
            metavar="PATH",
            show_default=False,
        ),
    ] = "",
    language: Annotated[
        Language | None,
        typer.Option(
            help="Language of the pages: en, de or zh. Default: what the browser asks for, or is chosen on a page.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show all nights, lots and images of a store in a browser, and keep what people say of them."""
    carry_out("web", store, host, port, address, root_path, language)


@app.command(cls=OneValueCommand)
def demo(
    output: Annotated[str, typer.Option(help="Folder for the generated lot and its results.")] = "musc-demo",
    seed: Annotated[int, typer.Option(help="Which lot to draw.")] = 0,
    verbose: Verbose = 0,
) -> None:
    """Draw a small lot of parts with planted defects, score it, and compare with the known defects."""
    carry_out("demo", output, seed, verbosity=verbose)


def main() -> None:
    """The console command."""
    replace_unprintable()
    app()
