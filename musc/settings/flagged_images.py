"""Options of decisions: which images are flagged or suspect, given their scores."""

from typing import Annotated

from pydantic import AfterValidator

from musc.option_ranges import require_suspects
from musc.settings.pydantic_options import Options, Share, option


class WatchDecisions(Options):
    """Decisions: which images are flagged or suspect, given their scores and the references'."""

    false_alarms: float = option(
        0.5, "Good images expected to be flagged in a lot that holds defects.", gt=0, allow_inf_nan=False
    )
    suspects: Annotated[float, Share, AfterValidator(require_suspects)] = option(
        0.03,
        "Share of good images expected to be flagged or suspect; 0: no suspects. Default: 3%.",
        metavar="SHARE",
        common=True,
        allow_inf_nan=False,
    )
    threshold: float | None = option(
        None,
        "Raw score at and above which images are flagged; below 0 only with image_score position or balanced. Default: "
        "from the scores.",
        allow_inf_nan=False,
        common=True,
    )


class Decisions(WatchDecisions):
    """Decisions: which images are flagged or suspect; they decide nothing about scores."""

    review_budget: int | None = option(
        None,
        "Most images listed, flagged or suspect, the most anomalous of them. Default: no limit.",
        ge=1,
        common=True,
    )
