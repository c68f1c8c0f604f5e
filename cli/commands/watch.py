"""`musc watch`: photographs scored as they come."""

import signal
import threading
from collections.abc import Mapping
from typing import Any

import typer

from cli.terminal.text import visible
from planning.requests import WatchRequest


def run(request: WatchRequest) -> None:
    """Score new photographs until Ctrl-C or SIGTERM, then stop after the one at hand."""
    from cli.process.engines import watch_folder

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    arrivals = watch_folder(request, stop, show)
    typer.echo(f"stopped; every row is kept in {arrivals.store.location(arrivals.path)}/scores")


def show(row: Mapping[str, Any]) -> None:
    """Print one row in one line."""
    if "watch" in row:
        given = row["threshold"]
        limit = f"{given:.4f}" if given == given else "none: give 8 good photographs, or --threshold"
        typer.echo(f"{row['references']} references, threshold {limit}; rows go to {row['watch']}/scores (Ctrl-C ends)")
        return
    score = f"{row['raw_score']:.4f} {row['decision']}" if row["decision"] else f"not scored: {row['reason']}"
    typer.echo(f"{row['time'][11:19]} {visible(row['path'])}  {score}  ({row['seconds']:.2f} s)")
