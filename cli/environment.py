"""Settings of Prefect for a command that starts its own server; whatever the user has set already stays."""

import logging
import os

DEFAULTS = {
    # A cold start of the embedded server takes up to 20 s, Prefect's own limit.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # A server that runs by itself tells by them that a command was killed; see `musc automations`.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
}
QUIET = {"PREFECT_LOGGING_LEVEL": "CRITICAL"}


def prepare_environment(*, verbose: bool) -> None:
    """Set what is not set yet; must run before Prefect is imported."""
    for name, value in {**DEFAULTS, **({} if verbose else QUIET)}.items():
        os.environ.setdefault(name, value)
    if not verbose:
        logging.getLogger("EventsWorker").setLevel(logging.ERROR)  # outside of Prefect's own loggers, it counts items
