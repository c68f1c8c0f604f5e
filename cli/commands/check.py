"""`musc check`: a line for each thing that a night depends on."""

import os

from rich.table import Table
from rich.text import Text

from cli.options_from_fields import Given
from cli.process.engines import resolve_engine
from cli.process.errors import FAILED, fail
from cli.process.prefect_api import configured_api
from cli.terminal.escaping import visible
from cli.terminal.progress import console, watching
from cli.terminal.what_is_scored import announce, where_of
from planning.nights.check_lines import FlightCheck, Level
from planning.requests import NightRequest, request_of

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILS: "bold red"}


def run(given: Given) -> None:
    """Check, and print a table; exit code 1 if anything fails."""
    request = request_of(NightRequest, given)
    try:
        engine = resolve_engine(request.resources.named_engine)
    except ConnectionError:  # that a server does not answer is one of the lines
        engine = "inline"
    announce(f"{request.root} and {request.output}", where_of(engine))
    with watching(several_lots=True):
        check = check_here(request) if engine == "inline" or configured_api() is None else check_as_flow(request)
    console.print(table_of(check))
    if not check.has_passed:
        fail(check.headline, FAILED)
    console.print(visible(check.headline), markup=False, highlight=False)


def check_here(request: NightRequest) -> FlightCheck:
    """Check in this process."""
    from flows.pipelines.flight_check import flight_check
    from tasks.flight_check.server import Api

    api = configured_api()
    secrets = os.environ.get("PREFECT_API_AUTH_STRING", ""), os.environ.get("PREFECT_API_KEY", "")
    return flight_check(request, Api(api.url, *secrets) if api else None)


def check_as_flow(request: NightRequest) -> FlightCheck:
    """Check as a flow that the server records, with its event."""
    from flows.flight_check import check_flight
    from flows.pipelines.flight_check import CheckFailedError

    try:
        return check_flight(**dict(request))
    except CheckFailedError as error:
        return error.check


def table_of(check: FlightCheck) -> Table:
    """A row for each check; names and paths take no effect as markup."""
    table = Table(title=visible(f"flight check of {check.root}"))
    for heading in ("check", "result", "found", "what to do"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("check", "result"))
    for line in check.lines:
        cells = (line.what, line.value, line.advice)
        what, value, advice = (Text(visible(cell)) for cell in cells)
        table.add_row(what, Text(line.level, style=STYLES[line.level]), value, advice)
    return table
