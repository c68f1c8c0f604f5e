"""`musc watch`: photographs scored as they come."""

import logging
import threading
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from cli.options_from_fields import Given
from cli.process.signals import act_on_signals
from cli.terminal.escaping import visible
from cli.terminal.progress import say
from cli.terminal.waiting import waiting
from cli.terminal.what_is_scored import announce, subject_of
from planning.requests import WatchRequest, request_of
from tasks.runtime import progress

HERE = "in this process, without a server"

if TYPE_CHECKING:
    from flows.pipelines.watch import Started
    from storage.results.arrivals import Arrival


def run(given: Given) -> None:
    """Score new photographs until Ctrl-C or SIGTERM, then stop after the one at hand."""
    from cli.process.engines import event_api, watch_folder

    request = request_of(WatchRequest, given)
    api = event_api(request)
    announce(subject_of(request), f"in this process; {api.url} is told of flagged photographs" if api else HERE)
    stop = threading.Event()
    act_on_signals(stop.set)
    print_warnings()
    with ExitStack() as start:
        now = start.enter_context(waiting(say))
        start.enter_context(progress.listening(now.until_progress(lambda stage: None), now.doing, show_hint))
        progress.doing("loading torch …")

        def show_after_start(shown: "Started | Arrival") -> None:
            start.close()
            show(shown)

        arrivals = watch_folder(request, stop, show_after_start, emitting=api is not None)
    typer.echo(f"stopped; every row is kept in {arrivals.store.location(arrivals.path)}/scores")


def show_hint(text: str) -> None:
    """Print a hint as a line of its own."""
    typer.echo(f"hint: {visible(text)}")


def print_warnings() -> None:
    """Print what goes wrong while watching, such as a folder that is gone, since no progress display does."""
    printed = logging.StreamHandler()
    printed.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    for name in ("tasks.watching", "flows.pipelines.watch"):
        logging.getLogger(name).addHandler(printed)
        logging.getLogger(name).propagate = False


def show(shown: "Started | Arrival") -> None:
    """Print the start, or one row, in one line."""
    from flows.pipelines.watch import Started

    if isinstance(shown, Started):
        if shown.of_product:
            typer.echo(f"scored with {visible(shown.of_product)}; --default-settings goes without them")
        columns = shown.limits.columns
        flagged, suspect = columns["threshold"], columns["suspect_threshold"]
        limit = "nothing is flagged: give 8 good photographs, or --threshold"
        if flagged is not None:
            limit = f"flagged from a raw score of {flagged:.4f} on"
        if suspect is not None and suspect != flagged:
            limit = f"{limit}, suspect from {suspect:.4f} on"
        typer.echo(f"{shown.references} references, {limit}; rows go to {shown.table}/scores (Ctrl-C ends)")
        return
    score = f"{shown['raw_score']:.4f} {shown['decision']}" if shown["decision"] else f"not scored: {shown['reason']}"
    hour = f"{datetime.fromisoformat(shown['time']).astimezone():%H:%M:%S}"  # of this machine, as other lines print it
    typer.echo(f"{hour} {visible(shown['path'])}  {score}  ({shown['seconds']:.2f} s)")
