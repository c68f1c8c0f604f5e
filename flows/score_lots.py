"""Score every lot below a root that has no finished result yet: what is scheduled every night."""

from datetime import date

from prefect import flow

from flows.hooks import crashed
from flows.pipelines.night import score_night
from flows.runners import PrefectRunner, one_at_a_time
from flows.score_lot import score_lot
from musc.settings import Decisions, Settings
from planning.nightly import Night
from planning.requests import DEFAULT_OUTPUT, DEFAULT_ROOT, ExportKinds, MapKind, NightRequest, described_by
from planning.resources import Resources


@flow(name="nightly-lots", flow_run_name="nightly {root}", task_runner=one_at_a_time(), on_crashed=[crashed])
@described_by(NightRequest)
def score_lots(
    root: str = DEFAULT_ROOT,
    output: str = DEFAULT_OUTPUT,
    category: str | None = None,
    since: date | None = None,
    maps: MapKind | None = None,
    export: ExportKinds = (),
    good_from_verdicts: bool = False,
    ignore_drawn: bool = False,
    settings: Settings = Settings(),
    decisions: Decisions = Decisions(),
    resources: Resources = Resources(),
) -> Night:
    """Score every lot below a root that has no finished result for these settings, so that missed nights are made up.

    Returns:
        What came of every lot, and what a person should know.

    Raises:
        NoImagesError: if the root is missing.
        ValueError: for an option out of range or an unknown category, by name, before any work.
        NightFailedError: at the end, if lots failed; the results of the others are kept.
    """
    request = NightRequest(
        root=root,
        output=output,
        category=category,
        since=since,
        maps=maps,
        export=export,
        good_from_verdicts=good_from_verdicts,
        ignore_drawn=ignore_drawn,
        settings=settings,
        decisions=decisions,
        resources=resources,
    )
    return score_night(request, PrefectRunner(), lambda one: score_lot(**dict(one)))
