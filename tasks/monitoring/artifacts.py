"""Artifacts and tags for Prefect's UI.

They are only looked at: where one cannot be published, whatever the error, the log says so and the work goes on.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext

from musc.backbones.devices import device_type
from musc.plan.cost import ProjectedCost
from planning.estimates.operations_and_bytes import cost_rows
from planning.job_from_request import LotJob
from planning.nights.check_lines import FlightCheck
from planning.nights.outcomes import LotOutcome, Status
from planning.task_results import ScoredLot, ScoredRun
from reports.evaluation.comparison_table import caption, describe_not_read, describe_without_masks, result_table
from reports.run_record import read_record
from reports.sentences import counted
from storage.artefacts import digest
from storage.results.runs import Run
from storage.store import Store
from storage.tables import read_table
from tasks.monitoring.events import emit_checked, emit_scored
from tasks.monitoring.monitor import StageWatch
from tasks.monitoring.run_tags import run_tags
from tasks.monitoring.summary import TABLE_ROWS, as_texts, summary, top_rows

SECONDS_BETWEEN = 3.0
"""Least time between two updates of one progress artifact."""


@contextmanager
def only_for_monitoring(subject: str) -> Iterator[None]:
    """Log errors of the `with` block as warnings instead of raising them."""
    try:
        yield
    except Exception as error:  # nothing that is only looked at may cost a result
        get_run_logger().warning("%s could not be published: %s", subject, error)


def tag_run(job: LotJob) -> None:
    """Tag the flow run with what it scores, for the UI's filters; not its tasks, which would cost a request each."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    with only_for_monitoring("tags"), get_client(sync_client=True) as client:
        client.update_flow_run(context.flow_run.id, tags={*context.flow_run.tags, *run_tags(job)})


def publish_plan(job: LotJob, plan: ProjectedCost) -> None:
    """Show what scoring a lot is going to cost."""
    with only_for_monitoring("plan"):
        create_table_artifact(table=cost_rows(plan, job), key="plan", description=f"Plan of {job.lot}")


def publish_benchmark(store: Store, path: str, dataset: str) -> None:
    """Show a table of metrics, one artifact for each backbone."""
    with only_for_monitoring("table of metrics"):
        table = read_table(store, path)
        for backbone in table["backbone"].unique():
            rows = result_table(table, backbone).to_dict("records")
            left_out = [*describe_without_masks(table, backbone), *describe_not_read(table)]
            create_table_artifact(
                table=[{str(heading): text for heading, text in row.items()} for row in rows],
                key=artifact_key(f"benchmark-{dataset}-{backbone}"),
                description=" ".join([f"{dataset} with {backbone}, {caption(table, backbone)}", *left_out]),
            )


def publish_run(job: LotJob, done: ScoredRun) -> None:
    """Show a finished run in the UI: summary with pictures, the table's top rows; and tell automations.

    The artifacts of a lot that a later night of the product has followed already get a key of their own, so that the
    latest one of the product's key is that of its latest night.
    """
    followed = isinstance(done, ScoredLot) and done.is_followed
    key = job.lot if followed else job.category
    with only_for_monitoring("summary"):
        run = Run(Store(job.store), done.run)
        scores = run.scores()
        warnings = done.warnings if isinstance(done, ScoredLot) else read_record(run).warnings
        create_markdown_artifact(
            summary(run, job, device_type(job.allocation.device), warnings),
            key=artifact_key(f"summary-{key}"),
            description=f"{job.lot}: {counted(len(scores), 'image')} scored",
        )
        create_table_artifact(
            table=as_texts(top_rows(scores, TABLE_ROWS)),
            key=artifact_key(f"scores-{key}"),
            description=f"Most anomalous of {counted(len(scores), 'image')} of {job.lot}",
        )
    with only_for_monitoring("event"):
        emit_scored(job, done)


def publish_night(root: str, outcomes: Sequence[LotOutcome]) -> None:
    """Show what a night did; lots finished before, for which nothing was made, are only counted."""
    finished = sum(outcome.status == Status.FINISHED for outcome in outcomes)
    rows = [outcome.as_row() for outcome in outcomes if outcome.status != Status.FINISHED or outcome.created]
    with only_for_monitoring("table of lots"):
        create_table_artifact(
            table=as_texts(rows) or [{"outcome": "nothing to do"}],
            key="nightly-lots",
            description=f"{counted(len(outcomes), 'lot')} below {root}, {finished} of them finished before",
        )


def publish_check(check: FlightCheck) -> None:
    """Show a flight check as a table, and tell automations of it."""
    with only_for_monitoring("table of checks"):
        rows = [line.as_row() for line in check.lines]
        create_table_artifact(table=as_texts(rows), key="flight-check", description=f"{check.root}: {check.headline}")
    with only_for_monitoring("event"):
        emit_checked(check)


class StageArtifact(StageWatch):
    """The progress of one stage as an artifact that is updated while the stage goes on."""

    def __init__(self, stage: str, total: int, done: int, subject: str, unit: str) -> None:
        self.total, self.done = max(total, 1), done
        self.id: Any = None
        self.published = time.monotonic()
        with only_for_monitoring(f"progress of {stage}"):
            if FlowRunContext.get():
                description = f"{stage} {subject}: {done:,} of {total:,} {unit} found in the store"
                self.id = create_progress_artifact(
                    100 * done / self.total, key=artifact_key(f"progress-{stage}"), description=description
                )

    def advance(self, units: int) -> None:
        """Count units done; published at the end, and every few seconds before."""
        self.done += units
        is_last = self.done >= self.total
        if self.id is None or not (is_last or time.monotonic() - self.published >= SECONDS_BETWEEN):
            return
        with only_for_monitoring("progress"):
            update_progress_artifact(self.id, min(100.0, 100 * self.done / self.total))
        self.published = time.monotonic()


def artifact_key(name: str) -> str:
    """A name as Prefect accepts it for an artifact: lower-case letters, digits and dashes.

    >>> artifact_key("benchmark-mvtec_ad-timm:vit_small_patch14_dinov2.lvd142m")
    'benchmark-mvtec-ad-timm-vit-small-patch14-dinov2-lvd142m'
    """
    key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    has_other_signs = re.search(r"[^\x00-\x7f]", name)
    return f"{key}-{digest({'name': name})[:6]}" if has_other_signs else key
