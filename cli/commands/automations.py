"""`musc automations`: a Prefect server marks runs without a process as crashed and notifies of unusual nights."""

import typer

from cli.process.prefect_files import require_readable_settings


def run(silence: int, alert: str | None) -> None:
    """Create the automations on the configured server and print them; notifications need a notification block."""
    require_readable_settings()
    from prefect.settings import PREFECT_API_URL

    from tasks.monitoring.automations import ALERTS, NAME, create_alerts, create_automations

    if not PREFECT_API_URL.value():
        raise ValueError(
            "PREFECT_API_URL must be set to a running server's address, got none; "
            "run `prefect config set PREFECT_API_URL=http://<host>:4200/api`"
        )
    typer.echo(f"{NAME}: {create_automations(silence)}")
    if alert is not None:
        typer.echo(f"{ALERTS}: {create_alerts(alert)}")
