"""`musc verdicts kinds`: the kinds of defects of a product, printed as CSV or taken from it."""

from pathlib import Path

import typer

from cli.terminal.escaping import visible


def run(location: str, product: str, table: str | None, name: str | None) -> None:
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
        typer.echo(table_of(latest_kinds(store, product)).decode("utf-8-sig"), nl=False)
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
    try:
        return Path(table).read_bytes()
    except OSError as error:
        raise ValueError(f"table must be a CSV file, got {table} ({error.strerror}); give the path of one") from None
