"""Prefect's hooks for failed and crashed runs: log the lot and what was being done, and emit an event."""

from collections.abc import Sequence
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.logging.loggers import flow_run_logger

from tasks.monitoring.events import emit_stopped
from tasks.runtime.run_stage import StageFailedError

UNFINISHED = (StateType.FAILED, StateType.CRASHED, StateType.RUNNING, StateType.PENDING, StateType.CANCELLED)
MAX_NAMED = 20
"""Task runs that are named; a lot may have hundreds."""


def failed(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Say which lot, stage and block failed."""
    error = state.result(raise_on_failure=False)
    names = error.names if isinstance(error, StageFailedError) else ()
    report_stop("failed", flow, flow_run, names[:MAX_NAMED], state.message or "")


def crashed(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Say which lot, stage and block was being worked on when the process ended.

    The process cannot be asked any more, but the server knows. A night or a benchmark takes the run of the lot it was
    scoring with it, which is found as a run below it.
    """
    of_state = TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=list(UNFINISHED))))
    with get_client(sync_client=True) as client:
        below = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[flow_run.id]))
        stopped = [run for run in client.read_flow_runs(flow_run_filter=below) if run.state and run.state.is_running()]
        for run in stopped or [flow_run]:
            of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
            task_runs = client.read_task_runs(flow_run_filter=of_run, task_run_filter=of_state, limit=MAX_NAMED)
            report_stop("crashed", flow, run, sorted(task.name for task in task_runs), state.message or "")


def report_stop(state: str, flow: Flow[Any, Any], flow_run: FlowRun, names: Sequence[str], reason: str) -> None:
    """Log what did not finish, and emit `musc.lot.failed` or `musc.lot.crashed`."""
    tasks = ", ".join(names) or "between two tasks"
    flow_run_logger(flow_run, flow).error("%s %s at: %s. %s", flow_run.name, state, tasks, reason)
    emit_stopped(state, flow_run.name, flow_run.parameters, names, reason)
