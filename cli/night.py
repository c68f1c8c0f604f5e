"""A night on the console: what came out of each lot."""

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from cli.console import console, watching
from flows.score_lots import NightFailedError, score_lots


def run_nightly(parameters: dict[str, Any]) -> None:
    """Score what is not finished, count, and say what should be known; lots that failed are named by the error."""
    try:
        with watching():
            done = score_lots(**parameters)
    except NightFailedError as failure:
        show_failures([outcome.as_row() for outcome in failure.outcomes if outcome.what == "failed"])
        show_notes(failure.notes)
        raise
    show_notes(done.pop("notes"))
    console.print(", ".join(f"{count} {what.replace('_', ' ')}" for what, count in done.items()))


def show_notes(notes: Sequence[str]) -> None:
    """A line for each thing that was left out or went wrong beside the scores."""
    for note in notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)


def show_failures(rows: Sequence[dict[str, str]]) -> None:
    """A row for each lot that failed."""
    table = Table(title="Lots that failed")
    for heading in ("category", "lot", "why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(escape(row["category"]), escape(row["lot"]), escape(row["run or reason"]))
    console.print(table)
