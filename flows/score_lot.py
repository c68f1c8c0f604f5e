"""Score one lot, a folder of images of one product."""

from prefect import flow, runtime

from flows.hooks import crashed, failed
from flows.pipelines.lot import score_folder
from flows.runners import PrefectRunner, one_at_a_time
from musc.settings import Decisions, Settings
from planning.job import names_of
from planning.requests import DEFAULT_OUTPUT, ExportKinds, LotRequest, MapKind, described_by
from planning.resources import Resources
from planning.returns import ScoredLot


def run_name() -> str:
    """What a person reads in the list of runs."""
    given = runtime.flow_run.parameters
    lot, _ = names_of(given["folder"], given.get("lot"), given.get("category"))
    return f"score {lot}"


@flow(
    name="score-lot",
    flow_run_name=run_name,
    task_runner=one_at_a_time(),
    on_failure=[failed],
    on_crashed=[crashed],
)
@described_by(LotRequest)
def score_lot(
    folder: str,
    output: str = DEFAULT_OUTPUT,
    lot: str | None = None,
    category: str | None = None,
    maps: MapKind | None = None,
    export: ExportKinds = (),
    good_from_verdicts: bool = False,
    ignore_drawn: bool = False,
    good: str | None = None,
    roi: str | None = None,
    roi_folder: str | None = None,
    settings: Settings = Settings(),
    decisions: Decisions = Decisions(),
    resources: Resources = Resources(),
) -> ScoredLot:
    """Score the images of one product in a folder against each other.

    Returns:
        Where the results lie, counts, and a sentence for each thing beside the scores that went wrong.

    Raises:
        ValueError: for an option out of range, by name, before any work.
        NoImagesError: if fewer than two images can be scored, or none where there are references from earlier runs.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    request = LotRequest(
        folder=folder,
        output=output,
        lot=lot,
        category=category,
        maps=maps,
        export=export,
        good_from_verdicts=good_from_verdicts,
        ignore_drawn=ignore_drawn,
        good=good,
        roi=roi,
        roi_folder=roi_folder,
        settings=settings,
        decisions=decisions,
        resources=resources,
    )
    return score_folder(request, PrefectRunner())
