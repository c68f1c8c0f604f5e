"""Observer of a run beside the console: does nothing unless Prefect runs it (`tasks.monitoring.prefect_monitor`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from planning.lot_job import LotJob
from planning.task_results import ScoredRun
from storage.store import Store

if TYPE_CHECKING:
    from musc.plan.cost import ProjectedCost
    from planning.nights.outcomes import LotOutcome


class StageWatch:
    """The progress of one stage."""

    def advance(self, units: int) -> None:
        """Some more units are done."""


class Monitor:
    """Observer that ignores everything."""

    def begin_lot(self, job: LotJob) -> None:
        """A lot is going to be scored."""

    def plan(self, job: LotJob, plan: "ProjectedCost") -> None:
        """What scoring it will cost."""

    def begin_stage(self, stage: str, total: int, done: int, subject: str, unit: str) -> StageWatch:
        """A stage of `total` units begins, `done` of which the store had; `unit` is what is counted."""
        return StageWatch()

    def scored(self, job: LotJob, done: ScoredRun) -> None:
        """A lot is scored."""

    def night(self, root: str, outcomes: "Sequence[LotOutcome]") -> None:
        """A night is over."""

    def benchmark(self, store: Store, path: str, dataset: str) -> None:
        """A table of metrics is written."""
