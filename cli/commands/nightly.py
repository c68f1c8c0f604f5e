"""`musc nightly`: a night, with a line for each lot as it ends and everything else once at the end."""

from cli.process.engines import score_lots
from cli.process.errors import FAILED, fail
from cli.terminal.progress import print_line, watching
from flows.pipelines.night import NightFailedError
from planning.nights.outcomes import LotOutcome, Night, Status
from planning.requests import NightRequest
from reports.night_lines import advice_lines, counts_line, finished_lines, lot_line


def run(request: NightRequest) -> None:
    """Score what is not finished, and say what came out of each lot and what should be known."""
    shown: list[LotOutcome] = []

    def show(outcome: LotOutcome) -> None:
        shown.append(outcome)
        if outcome.status != Status.FINISHED:  # those are only said at the end
            print_line(lot_line(outcome))

    def show_end(night: Night) -> None:
        for outcome in night.outcomes[len(shown) :]:  # all, where Prefect ran the night
            show(outcome)
        for line in (*finished_lines(night), *advice_lines(night), counts_line(night)):
            print_line(line)

    try:
        with watching(several_lots=True):
            night = score_lots(request, show)
    except NightFailedError as failure:
        show_end(failure.night)
        fail(failure.in_short, FAILED)
    else:
        show_end(night)
