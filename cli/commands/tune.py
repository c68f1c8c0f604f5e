"""`musc tune`: settings of a product, chosen by the verdicts about its photographs."""

from cli.options_from_fields import Given
from planning.requests import request_of
from planning.tuning.request import TuneRequest


def run(given: Given) -> None:
    """Compare the choices, print them, and keep the best if asked to; or go back to the default settings."""
    from cli.process.engines import tune, with_engine
    from cli.terminal.progress import watching
    from cli.terminal.tuning import show_accepted, show_tuning
    from cli.terminal.what_is_scored import announce, where_of
    from reports.tuning.accept_and_go_back import go_back
    from storage.store import Store, absolute

    request = request_of(TuneRequest, given)
    store = Store(absolute(request.output))
    if request.default_settings:
        show_accepted(go_back(store, request.category, request.name))
        return
    request = with_engine(request)
    announce(f"verdicts about {request.category} in {request.output}", where_of(request.resources.engine or "inline"))
    with watching():
        done = tune(request)
    show_tuning(store, done, request)
