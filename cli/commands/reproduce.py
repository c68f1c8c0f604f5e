"""The command that repeats a past run and says whether its scores are identical."""

from cli.process.engines import reproduce_run
from cli.terminal.progress import console, watching
from cli.terminal.text import visible

MAX_NAMED = 10


def run(location: str, folder: str | None, weights: str | None) -> bool:
    """Repeat a run, print the outcome, and return whether the scores are identical.

    Images and weights are looked at before a flow is started, so that what has changed is said at once.
    """
    from storage.results.runs import run_at
    from tasks.results.reproduce import recorded_job

    past = run_at(location)
    recorded_job(past, past.store.url, folder=folder, weights=weights)
    with watching():
        found = reproduce_run(location, folder, weights)
    if found["identical"]:
        console.print(f"Identical: all scores of {found['images']} images are the same to the last bit.")
    else:
        console.print(
            f"Not identical: {len(found['differing'])} of {found['images']} images have other scores; "
            f"the largest difference of a raw score is {found['largest_difference']:.3g}."
        )
        for path in found["differing"][:MAX_NAMED]:
            console.print(visible(f"  {path}"), markup=False, highlight=False)
    for version in found["versions"]:
        console.print(f"  version changed since: {version}", markup=False, highlight=False)
    return bool(found["identical"])
