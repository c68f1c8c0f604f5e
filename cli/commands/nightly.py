"""`musc nightly`: a night, and on the console what came out of each lot."""

from collections.abc import Sequence

from rich.table import Table

from cli.process.engines import score_lots
from cli.terminal.progress import console, watching
from cli.terminal.text import literal, visible
from flows.pipelines.night import NightFailedError
from storage.results.runs import Run
from storage.store import Store, absolute
from tasks.planning.nightly import Night, Status
from tasks.planning.requests import NightRequest
from tasks.planning.run_record import read_record


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
    show_scored(store, night.runs)
    failed = [outcome.as_row() for outcome in night.outcomes if outcome.status == Status.FAILED]
    if failed:
        show_failures(failed)
    show_notes(night.notes)


def show_scored(store: Store, runs: Sequence[str]) -> None:
    """What was found in each lot scored tonight, and where its page lies."""
    for path in runs:
        run = Run(store, path)
        record = read_record(run)
        flagged, scored = record.decision.flagged_count, record.images["ok"]
        others = ", ".join(f"{count} {status}" for status, count in record.images.items() if status != "ok")
        left_out = f", not scored: {others}" if others else ""
        place = run.report() or store.location(path)
        text = f"{record.job.lot}: {flagged} of {scored} images flagged{left_out}; {place}"
        console.print(visible(text), soft_wrap=True, markup=False, highlight=False)


def show_failures(rows: Sequence[dict[str, str]]) -> None:
    """A row for each lot that failed."""
    table = Table(title="Lots that failed")
    for heading in ("category", "lot", "why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(literal(row["category"]), literal(row["lot"]), literal(row["run or reason"]))
    console.print(table)


def show_notes(notes: Sequence[str]) -> None:
    """A line for each thing that was left out or went wrong beside the scores."""
    for note in notes:
        console.print(visible(f"note: {note}"), soft_wrap=True, markup=False, highlight=False)
