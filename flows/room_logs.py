"""The rooms' own log lines in Prefect's UI."""

import logging
import os

EXTRA = "PREFECT_LOGGING_EXTRA_LOGGERS"
"""The variable that names the loggers whose lines Prefect sends to its server."""


def show_room_logs() -> None:
    """Let through the lines of these loggers that Prefect lets through of its own.

    Prefect gives them its handler and not its level, so that only warnings would reach the server. A command that keeps
    Prefect quiet keeps them quiet as well.
    """
    level = logging.getLogger("prefect.extra").level
    for name in filter(None, os.environ.get(EXTRA, "").split(",")):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET and level < logging.WARNING:
            logger.setLevel(level)
