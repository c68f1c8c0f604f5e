"""The observer of a run that Prefect runs: shows everything in the UI and tells automations."""

from collections.abc import Sequence

from musc.plan.cost import ProjectedCost
from planning.lot_job import LotJob
from planning.nights.outcomes import LotOutcome
from planning.task_results import ScoredRun
from storage.store import Store
from tasks.monitoring.artifacts import (
    StageArtifact,
    publish_benchmark,
    publish_night,
    publish_plan,
    publish_run,
    tag_run,
)
from tasks.monitoring.monitor import Monitor, StageWatch


class PrefectMonitor(Monitor):
    """Shows everything in the Prefect UI and tells automations."""

    def begin_lot(self, job: LotJob) -> None:
        tag_run(job)

    def plan(self, job: LotJob, plan: ProjectedCost) -> None:
        publish_plan(job, plan)

    def begin_stage(self, stage: str, total: int, done: int, subject: str, unit: str) -> StageWatch:
        return StageArtifact(stage, total, done, subject, unit)

    def scored(self, job: LotJob, done: ScoredRun) -> None:
        publish_run(job, done)

    def night(self, root: str, outcomes: Sequence[LotOutcome]) -> None:
        publish_night(root, outcomes)

    def benchmark(self, store: Store, path: str, dataset: str) -> None:
        publish_benchmark(store, path, dataset)
