"""`musc verdicts`: export verdicts of the review site to other tools, and list kinds of defects."""

from typing import Annotated

import typer

from cli.process.errors import reporting_errors
from cli.repeated_options import OneValueCommand
from cli.terminal.escaping import visible

app = typer.Typer(no_args_is_help=True, help="Verdicts that people gave on the review site.")


@app.callback()
def common() -> None:
    """Verdicts that people gave on the review site: export them, and list the kinds of defects."""


@app.command(cls=OneValueCommand)
def export(
    run: Annotated[str, typer.Argument(help="Folder of a finished run, as printed at its end.")],
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            help="csv, coco, labelstudio, cvat, yolo, yolo-segments, or mvtec, a labelled folder that "
            "`musc benchmark folder` takes.",
        ),
    ] = "csv",
    output: Annotated[
        str | None, typer.Option(help="File, for mvtec a new folder. Default: named after the run, here.")
    ] = None,
    image_prefix: Annotated[
        str | None,
        typer.Option(
            help="For labelstudio: put before the path of each photograph in `data.image`, such as "
            "/data/local-files/?d=lots/ or https://files.example.com/, so that Label Studio can load it.",
        ),
    ] = None,
) -> None:
    """Write the verdicts about a run to a file, or to a folder of photographs and masks."""
    reporting_errors(lambda: write_export(run, kind, output, image_prefix))


@app.command(cls=OneValueCommand)
def kinds(
    store: Annotated[str, typer.Argument(help="Path or URL of the results, the --output of scoring.")],
    product: Annotated[str, typer.Argument(help="Name of the product, as runs and the review site have it.")],
    table: Annotated[
        str | None,
        typer.Option(
            help="CSV file with the columns name, key, colour, description: the list to save. Default: print it so."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Who saves the list.")] = None,
) -> None:
    """Print the kinds of defects of a product as CSV, or save them from CSV."""
    reporting_errors(lambda: print_or_save_kinds(store, product, table, name))


def write_export(location: str, kind: str, output: str | None, image_prefix: str | None = None) -> None:
    """Write an export and say what is in it.

    Raises:
        ValueError: if the format is none, there are no verdicts, or the target is in use.
        IncompleteError: if the run is not complete.
        FormatVersionError, DamagedError: if a list of the product's kinds cannot be read.
    """
    from pathlib import Path

    from musc.option_ranges import require_address
    from reports.sentences import counted
    from reports.verdicts.exported_verdicts import FORMATS, numbered_kinds, verdicts_content
    from reports.verdicts.labelled_folder import GONE, MVTEC, judged_images, lacking_places, write_labelled_folder
    from storage.results.runs import run_at
    from storage.results.verdict_reader import read_verdicts
    from storage.secrets import require_no_secret

    require_no_secret("run", location)
    if kind not in (*FORMATS, MVTEC):
        raise ValueError(f"format must be one of {', '.join((*FORMATS, MVTEC))}, got {kind!r}; choose one of them")
    if image_prefix is not None:
        require_no_secret("image_prefix", image_prefix)
        require_address("image_prefix", image_prefix)
        if kind != "labelstudio":
            raise ValueError(f"image_prefix must go with format labelstudio, got {kind}; leave out one of the two")
    run = run_at(location)
    verdicts = read_verdicts(run.store, run.path)
    if verdicts.empty:
        raise ValueError(f"run must have verdicts, got {location} without any; give some with `musc web`")
    default = f"{run.path.rpartition('/')[2]}-verdicts-{kind}"
    if kind == MVTEC:
        target = Path(output or default)
        judged = judged_images(run, verdicts)
        lacking = lacking_places(judged)
        if lacking:
            typer.echo(
                visible(
                    f"{len(lacking)} of the images judged defective have no drawn place, so they get their label alone "
                    f"and metrics of pixels will leave them out: {', '.join(lacking)}"
                )
            )
        written = write_labelled_folder(run, judged, target)
        typer.echo(visible(f"{written.good} good and {written.defective} defective images in {target}"))
        if written.left_out:
            typer.echo(visible(f"left out, {GONE}: {', '.join(written.left_out)}"))
        return
    target = Path(output or f"{default}.{FORMATS[kind]}")
    content = verdicts_content(kind, verdicts, run.scored_images(), image_prefix, numbered_kinds(run.store, verdicts))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    typer.echo(visible(f"{counted(len(verdicts), 'verdict')} in {target}"))


def print_or_save_kinds(location: str, product: str, table: str | None, name: str | None) -> None:
    """Print the list of a product, or save another one.

    Raises:
        ValueError: if the table is none, a kind of it cannot be one, or nobody saves it.
        FormatVersionError, DamagedError: if the list in the store cannot be read.
    """
    from planning.job_from_request import PLAIN_NAME
    from reports.verdicts.kinds_table import kinds_in, table_of
    from storage.products.defect_kinds import DefectKinds, add_kinds, latest_kinds
    from storage.results.append_only_files import now
    from storage.secrets import require_no_secret
    from storage.store import require_store

    require_no_secret("store", location)
    if not PLAIN_NAME.fullmatch(product):
        raise ValueError(f"product must be a plain name, got {product!r}; give it as the runs of the store have it")
    store = require_store(location)
    if table is None:
        if name is not None:
            raise ValueError("name must go with --table, got it alone; leave it out, or give the list to save")
        known = latest_kinds(store, product)
        typer.echo(table_of(known).decode("utf-8-sig"), nl=False)
        if not known:
            typer.echo(visible(f"{product} has no kinds in {location}; give a list with --table"), err=True)
        return
    if name is None:
        raise ValueError("name must say who saves the list, got none; give it with --name")
    kinds = kinds_in(content_of(table), table)
    add_kinds(store, DefectKinds(product, kinds, name, now()))
    named = ", ".join(f"{kind.key} {kind.name}".strip() for kind in kinds) or "none"
    typer.echo(visible(f"kinds of {product}: {named}"))


def content_of(table: str) -> bytes:
    """The content of a file that was named.

    Raises:
        ValueError: if there is none.
    """
    from pathlib import Path

    try:
        return Path(table).read_bytes()
    except OSError as error:
        raise ValueError(f"table must be a CSV file, got {table} ({error.strerror}); give the path of one") from None
