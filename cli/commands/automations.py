"""`musc automations`: a Prefect server marks runs without a process as crashed, and tells of nights to look after."""

import typer

from cli.process.prefect_files import require_readable_settings


def run(silence: int, alert: str | None, overdue: float | None) -> None:
    """Create the automations on the configured server and print them; messages need a notification block."""
    require_readable_settings()
    from prefect.settings import PREFECT_API_URL

    from tasks.monitoring.alerts import OVERDUE_HOURS, create_alerts
    from tasks.monitoring.automations import NAME, create_automations

    if overdue is not None and alert is None:
        raise ValueError(f"overdue must go with alert, got overdue {overdue:g} alone; say with alert who is told")
    if not PREFECT_API_URL.value():
        raise ValueError(
            "PREFECT_API_URL must be set to a running server's address, got none; "
            "run `prefect config set PREFECT_API_URL=http://<host>:4200/api`"
        )
    typer.echo(f"{NAME}: {create_automations(silence)}")
    if alert is not None:
        for name, outcome in create_alerts(alert, OVERDUE_HOURS if overdue is None else overdue).items():
            typer.echo(f"{name}: {outcome}")
