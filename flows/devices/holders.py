"""The runs that hold a device, found by a tag on them; and slots that nobody holds any more."""

from collections.abc import Iterable
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    TaskRunFilter,
    TaskRunFilterId,
)
from prefect.client.schemas.objects import FlowRun, StateType

UNDER_WAY = [StateType.RUNNING, StateType.CANCELLING]


def tag_of(name: str) -> str:
    """The tag of a run for as long as it holds the device of a limit."""
    return f"holds:{name}"


def change_tags(client: SyncPrefectClient, run: UUID, names: Iterable[str], *, holds: bool) -> None:
    """Mark a run as one that holds devices, or no longer."""
    known, changed = set(client.read_flow_run(run).tags), {tag_of(name) for name in names}
    client.update_flow_run(run, tags=known | changed if holds else known - changed)


def holders(client: SyncPrefectClient, name: str) -> list[FlowRun]:
    """The runs that hold a device; not those whose parent has ended, as nobody ends a sub-flow of a killed process."""
    under_way = FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY))
    tagged = FlowRunFilter(state=under_way, tags=FlowRunFilterTags(all_=[tag_of(name)]))
    return [run for run in client.read_flow_runs(flow_run_filter=tagged) if has_parent_under_way(client, run)]


def has_parent_under_way(client: SyncPrefectClient, run: FlowRun) -> bool:
    """Whether the run that called a run goes on, and the one that called that; true for one that nobody called."""
    if run.parent_task_run_id is None:
        return True
    of_task = TaskRunFilter(id=TaskRunFilterId(any_=[run.parent_task_run_id]))
    parents = client.read_flow_runs(task_run_filter=of_task)
    return all(
        parent.state is not None and parent.state.type in UNDER_WAY and has_parent_under_way(client, parent)
        for parent in parents
    )


def forgotten_slots(client: SyncPrefectClient, name: str) -> int:
    """How many slots of a limit are taken without a run that holds them.

    A killed run's slot is one until its lease expires. One whose lease the server has lost, in a restart or with a
    restored database, would be one for ever.
    """
    return client.read_global_concurrency_limit_by_name(name).active_slots - len(holders(client, name))


def correct_slots(client: SyncPrefectClient, name: str, run: UUID | None) -> None:
    """Leave only those slots of a limit taken whose runs go on; `run` waits and has none."""
    held = [holder for holder in holders(client, name) if holder.id != run]
    client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(active_slots=len(held)))
