"""A comparison of settings on the console."""

import shlex

from rich.table import Table

from cli.terminal.escaping import literal
from cli.terminal.progress import console, print_line
from planning.task_results import Tuned
from planning.tuning.request import TuneRequest
from planning.tuning.take_accepted import describe_accepted
from reports.tuning.accept_and_go_back import describe_tuning
from reports.tuning.comparison_picture import shown_choices
from storage.products.accepted_settings import AcceptedSettings, latest_accepted
from storage.products.tunings import FILE, PICTURE, Tuning, read_tuning
from storage.store import Store

ROWS_SHOWN = 10


def show_tuning(store: Store, done: Tuned, request: TuneRequest) -> None:
    """Print what a tuning found: the choices, what each lot's list would have been, and what to do next."""
    tuning = read_tuning(store, done.path)
    console.print(choice_table(tuning))
    console.print(lot_table(tuning))
    for line in (*done.left_out, *describe_tuning(tuning)):
        print_line(line)
    print_line(f"All choices in {store.location(done.path)}/{FILE}")
    if store.exists(f"{done.path}/{PICTURE}"):
        print_line(f"Their intervals as a picture in {store.location(done.path)}/{PICTURE}")
    found = latest_accepted(store, request.category)
    if done.accepted and found:
        show_accepted(found[1])
    elif tuning.chosen:
        again = f"musc tune {shlex.quote(request.category)} --output {shlex.quote(request.output)} --accept"
        print_line(f"Nothing is changed yet. To keep it as the settings of {tuning.category}: {again}")


def show_accepted(accepted: AcceptedSettings) -> None:
    """Print which settings a product has from now on."""
    print_line(f"From now on: {describe_accepted(accepted)}.")
    print_line(
        "`musc nightly`, `score`, `watch` and `benchmark` take them for new lots; finished ones stay as they are."
    )


def choice_table(tuning: Tuning) -> Table:
    """The choice in use, the one to be taken, and those of the highest expected gain."""
    shown = shown_choices(tuning, ROWS_SHOWN)
    table = Table(title=f"{len(shown)} of {len(tuning.choices)} choices for {literal(tuning.category)}")
    table.add_column("settings", overflow="fold")
    for heading in ("found", "false", "AUROC", "90 % interval", "expected gain", "cost"):
        table.add_column(heading, justify="right")
    for place in shown:
        row = tuning.choices[place]
        mark = " (in use)" if place == 0 else " (found)" if place == tuning.chosen else ""
        table.add_row(
            literal(f"{row.text}{mark}"),
            f"{row.found} of {tuning.defective}",
            f"{row.false} of {tuning.good}",
            f"{row.auroc:.3f}",
            f"{row.low:.2f} to {row.high:.2f}",
            f"{row.gain:+.3f} ± {row.gain_error:.3f}" if place else "–",
            f"{row.cost:.2g} ×",
        )
    return table


def lot_table(tuning: Tuning) -> Table:
    """What would have been listed in each lot with the settings in use, and with those found."""
    table = Table(title="Listed: flagged or suspect images, of them judged defective, judged good")
    for heading in ("lot", "images", "in use", "found"):
        table.add_column(heading, justify="left" if heading == "lot" else "right", overflow="fold")
    for lot in tuning.lots:
        name = lot.run.rpartition("/")[2]
        table.add_row(literal(name), str(lot.images), *(", ".join(map(str, one)) for one in (lot.used, lot.chosen)))
    return table
