"""Logging of a command, and settings of Prefect where it is used; whatever the user has set already stays."""

import gc
import logging
import os
from importlib.util import find_spec

DEFAULTS = {
    # A cold start of the embedded server takes up to 20 s, Prefect's own limit.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # A server that runs by itself tells by them that a command was killed; see `musc automations`.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # The rooms' own logs, in the UI too.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,tasks,reports,planning,storage",
}
ROOMS = ("flows", "tasks", "reports", "planning", "storage")
"""Whose log is shown with `-v`; what matters of it stands in the output of a command anyway."""
QUIET = {"PREFECT_LOGGING_LEVEL": "CRITICAL"}


COLLECTED_AFTER = 50_000
"""Python objects made between two searches for garbage. With Python's 700 they take a fifth of the time of imports;
with 10,000 one search through all that torch has made falls into a short run and takes 0.2 s."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def prepare_environment(verbosity: int) -> None:
    """Set what is not set yet, and look for garbage less often; must run before Prefect is imported.

    Args:
        verbosity: 0 shows warnings of libraries, 1 the rooms' info, 2 their debug messages too.
    """
    gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])
    verbose = verbosity > 0
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: verbose or record.name.split(".")[0] not in ROOMS)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", handlers=[handler])
    if verbose:
        for room in ROOMS:
            logging.getLogger(room).setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
    keep_loopback_direct()
    for name, value in {**DEFAULTS, **({} if verbose else QUIET)}.items():
        os.environ.setdefault(name, value)
    if not verbose:
        logging.getLogger("EventsWorker").setLevel(logging.ERROR)  # outside of Prefect's own loggers, it counts items


def keep_loopback_direct() -> None:
    """Exclude loopback from proxies, and unset a SOCKS proxy that no installed library supports."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))
    for name in ("ALL_PROXY", "all_proxy"):
        if os.environ.get(name, "").startswith("socks") and find_spec("socksio") is None:
            del os.environ[name]
