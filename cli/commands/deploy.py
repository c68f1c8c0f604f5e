"""`musc deploy`: all that a Prefect server needs of this project and of the place it runs in, in one step."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import typer

from cli.options_from_fields import Given
from cli.process.prefect_api import configured_api, require_answer
from cli.process.prefect_files import require_readable_settings
from cli.terminal.progress import print_line
from planning.place import PREFIX, place_from

NO_API = (
    "PREFECT_API_URL must be set to a running server's address, got none; "
    "run `prefect config set PREFECT_API_URL=http://<host>:4200/api`"
)


def run(given: Given, wait: float) -> None:
    """Wait for the server, and bring variables, work pool, deployments and automations up to date."""
    require_readable_settings()
    await_server(wait)
    from cli.deploying.deployments import keep_deployments, keep_variables, keep_work_pool, stored_variables
    from cli.deploying.missed_runs import cancel_missed_runs
    from reports.sentences import counted
    from tasks.monitoring.alerts import create_alerts
    from tasks.monitoring.automations import NAME, create_automations

    place, sources = place_from(given, os.environ, stored_variables(PREFIX))
    outcomes = keep_variables(place.variables)
    for name, value in place:
        print_line(f"{name}: {value if value != '' else 'none'} ({sources[name]}, {outcomes[PREFIX + name]})")
    print_line(f"work pool {place.pool}: {keep_work_pool(place.pool)}")
    show("deployment", keep_deployments(Path.cwd()))
    for name, count in cancel_missed_runs().items():
        print_line(f"{counted(count, 'missed run')} of {name}: cancelled, the newest one does the work of all")
    show("automation", {NAME: create_automations()})
    if place.alert:
        show("automation", create_alerts(place.alert, place.overdue))
    else:
        print_line("no messages are sent: --alert says through which notification block of the server")


def show(kind: str, outcomes: Mapping[str, str]) -> None:
    """A line for each thing."""
    for name, outcome in outcomes.items():
        print_line(f"{kind} {name}: {outcome}")


def await_server(seconds: float) -> None:
    """Wait until the configured server answers.

    Raises:
        ValueError: if none is configured.
        ConnectionError: if it does not answer in time.
    """
    api, deadline, said = configured_api(), time.monotonic() + seconds, False
    if api is None:
        raise ValueError(NO_API)
    while True:
        try:
            return require_answer(api, "--wait with more seconds")
        except ConnectionError:
            if time.monotonic() >= deadline:
                raise
        if not said:
            typer.echo(f"waiting for {api.url} …", err=True)
            said = True
        time.sleep(1)
