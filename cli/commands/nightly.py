"""`musc nightly`: a night, and on the console what came out of each lot."""

from collections.abc import Sequence

from rich.table import Table

from cli.process.engines import score_lots
from cli.terminal.progress import console, watching
from cli.terminal.text import literal, visible
from flows.pipelines.night import NightFailedError
from planning.nightly import Night, Outcome, Status
from planning.requests import NightRequest
from reports.run_record import read_record
from storage.results.runs import Run
from storage.store import Store, absolute


def run(request: NightRequest) -> None:
    """Score what is not finished, show what came out, and say what should be known; lots that failed are named."""
    store = Store(absolute(request.output))
    try:
        with watching():
            night = score_lots(request)
    except NightFailedError as failure:
        show_night(store, failure.night)
        raise
    show_night(store, night)
    console.print(", ".join(f"{night.count(status)} {status}" for status in Status))


def show_night(store: Store, night: Night) -> None:
    """What was found, what failed, and what a person should know."""
    for outcome in night.outcomes:
        if outcome.status == Status.SCORED:
            show_scored(store, outcome)
    failed = [outcome for outcome in night.outcomes if outcome.status == Status.FAILED]
    if failed:
        show_failures(failed)
    show_notes(night.notes)


def show_scored(store: Store, outcome: Outcome) -> None:
    """What was found in a lot scored tonight, what its page warns of, and where that lies."""
    others = read_record(Run(store, outcome.run)).left_out
    warned = len(outcome.warnings)
    said = [f"{outcome.flagged} of {outcome.images} images flagged"]
    said += [f"{warned} {'warning' if warned == 1 else 'warnings'}"] if warned else []
    said += [f"not scored: {others}"] if others else []
    say(f"{outcome.found.lot}: {', '.join(said)}; {outcome.page}")
    for warning in outcome.warnings:
        say(f"  warning: {warning}")


def show_failures(failed: Sequence[Outcome]) -> None:
    """A row for each lot that failed."""
    table = Table(title="Lots that failed")
    for heading in ("category", "lot", "why"):
        table.add_column(heading, overflow="fold")
    for outcome in failed:
        table.add_row(literal(outcome.found.category), literal(outcome.found.name), literal(outcome.reason))
    console.print(table)


def show_notes(notes: Sequence[str]) -> None:
    """A line for each thing that was left out or went wrong beside the scores."""
    for note in notes:
        say(f"note: {note}")


def say(text: str) -> None:
    """Print a line that may hold any name, in one piece and as it is."""
    console.print(visible(text), soft_wrap=True, markup=False, highlight=False)
