"""Two automations: one finds runs whose process is gone, one sends a message about nights that a person should look at.

A process worker notices when the process of a run dies. Nobody notices when the worker, the machine or a plain command
dies with it: those runs, and runs below a killed one, would stay *Running* for ever. So whoever stops sending
heartbeats is marked as crashed.
"""

from datetime import timedelta
from uuid import UUID

from prefect.automations import AutomationCore
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound

NAME = "musc: crash runs that fell silent"
ALERTS = "musc: tell of unusual nights and failed lots"
ENDED = ("Completed", "Failed", "Cancelled", "Crashed")
SILENCE_SECONDS = 300
"""Ten heartbeats: a server that restarts, or a machine out of breath, must not cost a run that goes on."""

SUBJECT = (
    "musc: {{ event.payload.lot }}"
    "{% if event.payload.reason is defined %} has no result{% else %} is unusual{% endif %}"
)
BODY = """\
{% if event.payload.reason is defined %}\
{{ event.payload.reason }}
{% else %}\
{{ event.payload.images }} images: {{ event.payload.flagged }} flagged, {{ event.payload.suspect }} suspect; warnings:
{% for warning in event.payload.warnings %}\
- {{ warning }}
{% endfor %}\
{{ event.payload.page }}
{% endif %}\
"""
"""Templates that the server fills in with the event."""


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


def alerts(block: UUID) -> AutomationCore:
    """A message about every lot that is unlike the nights before, failed or crashed."""
    return AutomationCore(
        name=ALERTS,
        description="Sends a message about lots that are unlike the nights before, failed or crashed.",
        trigger=EventTrigger(
            expect={"musc.lot.scored", "musc.lot.failed", "musc.lot.crashed"},
            match=ResourceSpecification({"prefect.resource.id": ["musc.lot.*"], "musc.alert": ["yes"]}),
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[SendNotification(block_document_id=block, subject=SUBJECT, body=BODY)],
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


def create_alerts(block: str) -> str:
    """Have messages sent through a notification block of the server; any number of times.

    Args:
        block: as `<type>/<name>`, such as `slack-webhook/quality`.

    Returns:
        `created`, `updated` or `unchanged`.

    Raises:
        ValueError: if the server has no such block.
    """
    kind, _, name = block.partition("/")
    try:
        with get_client(sync_client=True) as client:
            document = client.read_block_document_by_name(name, kind)
    except ObjectNotFound:
        raise ValueError(
            f"alert must be a notification block of the server as <type>/<name>, got {block!r}, which is not "
            "there; `prefect block ls` lists them, and the UI makes them (Blocks, +)"
        ) from None
    return keep_automation(alerts(document.id))


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
        client.update_automation(existing[0].id, automation)
        return "updated"
