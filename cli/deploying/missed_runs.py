"""Runs of a schedule that were due while server or worker were away; the newest does the work of all of them."""

from collections import Counter
from datetime import UTC, datetime

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled

CATCHING_UP = ("nightly-lots", "flight-check")
"""Deployments of which one run does what all earlier ones have missed."""
REASON = "Missed while server or worker were away; a later run, due already, does its work too."


def cancel_missed_runs(now: datetime | None = None) -> dict[str, int]:
    """Cancel what a schedule has made and nothing has taken yet, but for the newest run that is due.

    Args:
        now: what is due by then; now, where it is None.

    Returns:
        How many were cancelled, by the name of the deployment; without those of which none was.
    """
    due = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        next_scheduled_start_time=FlowRunFilterNextScheduledStartTime.model_validate(
            {"before_": now or datetime.now(UTC)}
        ),
    )
    counts: Counter[str] = Counter()
    with get_client(sync_client=True) as client:
        for name in CATCHING_UP:
            found = client.read_flow_runs(
                flow_run_filter=due,
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[name])),
                sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            )
            for run in [run for run in found if run.auto_scheduled][1:]:
                client.set_flow_run_state(run.id, Cancelled(message=REASON))
                counts[name] += 1
    return dict(counts)
