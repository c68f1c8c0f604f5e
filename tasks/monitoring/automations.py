"""An automation that finds runs whose process is gone; `alerts` holds those that send messages.

A process worker notices when the process of a run dies. Nobody notices when the worker, the machine or a plain command
dies with it: those runs, and runs below a killed one, would stay *Running* for ever. So whoever stops sending
heartbeats is marked as crashed.
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
    """Have silent runs marked as crashed; any number of times.

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
    return keep_automation(silent_runs(silence_seconds))


def keep_automation(automation: AutomationCore) -> str:
    """Create an automation, or bring the one of its name up to date: `created`, `updated` or `unchanged`."""
    with get_client(sync_client=True) as client:
        existing = client.read_automations_by_name(automation.name)
        for repeated in existing[1:]:
            client.delete_automation(repeated.id)
        if not existing:
            client.create_automation(automation)
            return "created"
        if AutomationCore(**existing[0].model_dump(exclude={"id"})) == automation:
            return "unchanged"
        # An update sends set fields alone, and the server refuses triggers and actions without their kind.
        client.update_automation(
            existing[0].id, AutomationCore.model_validate(automation.model_dump(exclude_none=True))
        )
        return "updated"
