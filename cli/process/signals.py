"""Ctrl-C and SIGTERM: say what is kept, and leave without waiting for a server that got the same signal.

Prefect's embedded server lives and dies with the command, and a terminal signals both: reporting the stop to it would
mean a minute of retries against a closed port. Prefect replaces signal handlers while a flow runs, so a thread of its
own watches for the signals. With a server that runs by itself, Prefect is told that the run was cut off.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

import typer

MESSAGE = "stopped; everything finished is kept, so the same command goes on from here"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_on_signals() -> None:
    """Handle SIGINT and SIGTERM from now on; to be called from the main thread."""
    for number in SIGNALS:
        signal.signal(number, stop)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=watch, args=(reader,), daemon=True).start()


def act_on_signals(act: Callable[[], None]) -> None:
    """Have SIGINT and SIGTERM call a function from now on instead of ending the process."""
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        signal.signal(number, lambda *_: act())


def stop(number: int, frame: FrameType | None) -> None:
    """End the process in the ordinary way, unless `watch` ends it at once."""
    if embedded_server() is None:
        typer.echo(f"error: {MESSAGE}", err=True)
        sys.exit(128 + number)


def watch(reader: int) -> None:
    """Wait for signals, as numbers in a pipe; with an embedded server end both processes at once."""
    while True:
        for number in os.read(reader, 64):
            server = embedded_server()
            if number in SIGNALS and server is not None:
                typer.echo(f"error: {MESSAGE}", err=True)
                server.terminate()
                os._exit(128 + number)


def embedded_server() -> subprocess.Popen[bytes] | None:
    """The Prefect server this process has started, if any; while its module is still being imported there is none."""
    servers = getattr(sys.modules.get("prefect.server.api.server"), "SubprocessASGIServer", None)
    return servers().server_process if servers else None
