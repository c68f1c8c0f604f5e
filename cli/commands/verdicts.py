"""`musc verdicts`: export verdicts of the review site to other tools."""

from typing import Annotated

import typer

from cli.one_value import OneValueCommand
from cli.process.errors import reporting_errors
from cli.terminal.text import visible

app = typer.Typer(no_args_is_help=True, help="Export the verdicts that people gave on the review site.")


@app.callback()
def common() -> None:
    """Export the verdicts that people gave on the review site."""


@app.command(cls=OneValueCommand)
def export(
    run: Annotated[str, typer.Argument(help="Folder of a finished run, as printed at its end.")],
    kind: Annotated[
        str,
        typer.Option(
            "--format", help="csv, coco, labelstudio, or mvtec, a labelled folder that `musc benchmark folder` takes."
        ),
    ] = "csv",
    output: Annotated[
        str | None, typer.Option(help="File, for mvtec a new folder. Default: named after the run, here.")
    ] = None,
) -> None:
    """Write the verdicts about a run to a file, or to a folder of photographs and masks."""
    reporting_errors(lambda: write_export(run, kind, output))


def write_export(location: str, kind: str, output: str | None) -> None:
    """Write an export and say what is in it.

    Raises:
        ValueError: if the format is none, there are no verdicts, or the target is in use.
        IncompleteError: if the run is not complete.
    """
    from pathlib import Path

    from reports.exports import FORMATS, verdicts_text
    from reports.labelled_folder import MVTEC, write_labelled_folder
    from storage.results.runs import run_at
    from storage.results.verdicts import read_verdicts
    from storage.secrets import require_no_secret

    require_no_secret("run", location)
    if kind not in (*FORMATS, MVTEC):
        raise ValueError(f"format must be one of {', '.join((*FORMATS, MVTEC))}, got {kind!r}; choose one of them")
    run = run_at(location)
    verdicts = read_verdicts(run.store, run.path)
    if verdicts.empty:
        raise ValueError(f"run must have verdicts, got {location} without any; give some with `musc web`")
    default = f"{run.path.rpartition('/')[2]}-verdicts-{kind}"
    if kind == MVTEC:
        target = Path(output or default)
        done = write_labelled_folder(run, verdicts, target)
        typer.echo(visible(f"{done.good} good and {done.defective} defective images in {target}"))
        for reason, paths in done.left_out.items():
            typer.echo(visible(f"left out, {reason}: {', '.join(paths)}"))
        return
    target = Path(output or f"{default}.{FORMATS[kind]}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(verdicts_text(kind, verdicts, run.scored_images()), encoding="utf-8")
    typer.echo(visible(f"{len(verdicts)} verdicts in {target}"))
