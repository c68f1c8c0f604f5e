"""The automation that finds runs whose process is gone: whoever stops sending heartbeats is marked as crashed.

A process worker notices when the process of a run dies. Nobody notices when the worker, the machine or a plain command
dies with it: those runs, and runs below a killed one, would stay *Running* for ever.
"""

from datetime import timedelta

from prefect.automations import AutomationCore
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

NAME = "musc: crash runs that fell silent"
ENDED = ("Completed", "Failed", "Cancelled", "Crashed")
SILENCE_SECONDS = 300
"""Ten heartbeats: a server that restarts, or a machine out of breath, must not cost a run that goes on."""


def silent_runs(silence_seconds: int = SILENCE_SECONDS) -> AutomationCore:
    """After each heartbeat of a flow run another one, or its end, must follow in time."""
    return AutomationCore(
        name=NAME,
        description="Marks flow runs as crashed whose heartbeats stopped: their process or machine is gone.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{state}" for state in ENDED)},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=silence_seconds),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name=None,
                force=False,
                message=f"No heartbeat for {silence_seconds} s: the process or its machine is gone. "
                "Everything finished is kept; run it again to go on.",
            )
        ],
    )


def create_automations(silence_seconds: int = SILENCE_SECONDS) -> str:
    """Create the automation, or bring the one of its name up to date; any number of times.

    Args:
        silence_seconds: without a heartbeat; at least 90, as heartbeats come every 30 seconds.

    Returns:
        `created`, `updated` or `unchanged`.

    Raises:
        ValueError: if the silence is too short to be told from a pause.
    """
    if silence_seconds < 90:
        raise ValueError(
            f"silence must be at least 90 seconds, got {silence_seconds}; heartbeats come every 30 seconds"
        )
    wanted = silent_runs(silence_seconds)
    with get_client(sync_client=True) as client:
        found = client.read_automations_by_name(NAME)
        for repeated in found[1:]:
            client.delete_automation(repeated.id)
        if not found:
            client.create_automation(wanted)
            return "created"
        if AutomationCore(**found[0].model_dump(exclude={"id"})) == wanted:
            return "unchanged"
        client.update_automation(found[0].id, wanted)
        return "updated"
