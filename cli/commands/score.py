"""`musc score`: one lot."""

from planning.requests import LotRequest


def run(request: LotRequest) -> None:
    """Score a lot and print the ranking."""
    from cli.process.engines import score_lot
    from cli.terminal.progress import watching
    from cli.terminal.tables import show_run
    from storage.store import absolute

    with watching():
        result = score_lot(request)
    show_run(absolute(request.output), result.run, result.problems, result.notes)
