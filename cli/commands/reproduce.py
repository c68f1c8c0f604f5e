"""`musc reproduce`: a past run computed again, and whether its scores are identical."""

import typer

from cli.process.engines import reproduce_run, resolve_engine
from cli.process.errors import FAILED
from cli.terminal.escaping import visible
from cli.terminal.progress import console, watching
from cli.terminal.what_is_scored import announce, where_of
from reports.recorded_job import recorded_job
from reports.sentences import counted
from storage.results.runs import run_at
from storage.secrets import require_no_secret

MAX_NAMED = 10


def run(location: str, folder: str | None, weights: str | None) -> None:
    """Reproduce a run and print the outcome; scores that are not identical are the command's failure.

    Images and weights are looked at before a flow is started, so that what has changed is said at once.
    """
    for option, text in (("run", location), ("folder", folder), ("weights", weights)):
        require_no_secret(option, text or "")
    engine = resolve_engine(None)
    announce("", where_of(engine))
    past = run_at(location)
    recorded_job(past, past.store.url, folder=folder, weights=weights)
    with watching():
        result = reproduce_run(location, folder, weights, engine)
    if result.identical:
        console.print(f"Identical: all scores of {counted(result.image_count, 'image')} are the same to the last bit.")
    else:
        console.print(
            f"Not identical: {len(result.differing):,} of {counted(result.image_count, 'image')} "
            f"{'has' if len(result.differing) == 1 else 'have'} other scores; "
            f"the largest difference of a raw score is {result.largest_difference:.3g}."
        )
        for path in result.differing[:MAX_NAMED]:
            console.print(visible(f"  {path}"), markup=False, highlight=False)
    if result.other_decisions is None:
        console.print("Decisions are not compared: the run's rest on earlier nights, which are not read again.")
    elif result.other_decisions:
        has = "has" if result.other_decisions == 1 else "have"
        console.print(f"{counted(result.other_decisions, 'image')} {has} another decision.")
    for version in result.versions:
        console.print(f"  version changed since: {version}", markup=False, highlight=False)
    if not result.identical:
        raise typer.Exit(FAILED)
