"""Automations that send a message: about lots to look at, flight checks and nights that fail, nights that are missing.

A night that never starts writes no log and fails nowhere: its worker is down, its machine off, its schedule paused. So
one message is about runs that are late, one about a work pool without a worker, and one about the silence itself: no
night has ended for so many hours, whatever the reason.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from prefect.automations import AutomationCore
from prefect.client.orchestration import get_client
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound

from tasks.monitoring.automations import keep_automation

NIGHT = "nightly-lots"
"""The flow of a night."""
OVERDUE_HOURS = 26.0
"""After the last night's end: a day, and as much as a night may take longer than the one before."""
LEAST_OVERDUE_SECONDS = 10
"""Prefect looks for what is absent no more often."""

LOT_SUBJECT = (
    "musc: {{ event.payload.lot }}"
    "{% if event.payload.reason is defined %} has no result{% else %} is unusual{% endif %}"
)
LOT_BODY = """\
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
"""Templates that the server fills in with the event, as all that follow."""
CHECK_BODY = """\
{{ event.payload.headline }}
{% for line in event.payload.lines %}\
- {{ line }}
{% endfor %}\
"""


def alerts(block: UUID, overdue_hours: float = OVERDUE_HOURS) -> Iterable[AutomationCore]:
    """Every automation that sends a message through a notification block.

    Args:
        block: id of the block on the server.
        overdue_hours: without the end of any night.
    """
    of_a_night = ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": NIGHT})
    any_run = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})

    def message(name: str, trigger: EventTrigger, subject: str, body: str) -> AutomationCore:
        action = SendNotification(block_document_id=block, subject=subject, body=body)
        return AutomationCore(name=f"musc: {name}", description="Sends a message.", trigger=trigger, actions=[action])

    yield message(
        "tell of unusual nights and failed lots",
        EventTrigger(
            expect={"musc.lot.scored", "musc.lot.failed", "musc.lot.crashed"},
            match=ResourceSpecification({"prefect.resource.id": "musc.lot.*", "musc.alert": "yes"}),
        ),
        LOT_SUBJECT,
        LOT_BODY,
    )
    yield message(
        "tell of flight checks that failed",
        EventTrigger(
            expect={"musc.check.failed"}, match=ResourceSpecification({"prefect.resource.id": "musc.check.*"})
        ),
        "musc: the flight check of {{ event.payload.root }} has failed",
        CHECK_BODY,
    )
    yield message(
        "tell of nights that failed",
        EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"}, match=any_run, match_related=of_a_night
        ),
        "musc: the night {{ flow_run.name }} has failed",
        "{{ flow_run.state.message }}\nEverything finished is kept; the next night tries the rest again.",
    )
    yield message(
        "tell of nights that have not started",
        EventTrigger(expect={"prefect.flow-run.Late"}, match=any_run, match_related=of_a_night),
        "musc: a night has not started",
        "{{ flow_run.name }} of the deployment {{ deployment.name }} was due at {{ flow_run.expected_start_time }} and "
        "no worker has taken it. See whether a worker of its work pool runs, and whether the pool is paused.",
    )
    yield message(
        "tell of a work pool without a worker",
        EventTrigger(
            expect={"prefect.work-pool.not-ready"},
            match=ResourceSpecification({"prefect.resource.id": "prefect.work-pool.*"}),
        ),
        "musc: the work pool {{ work_pool.name }} has no worker",
        "Its last worker has sent nothing for a while, so nothing of this pool will run. Start a worker again: "
        "prefect worker start --pool {{ work_pool.name }}",
    )
    yield message(
        "tell of nights that are missing",
        EventTrigger(
            expect={"prefect.flow-run.Completed", "prefect.flow-run.Failed"},
            match=any_run,
            match_related=of_a_night,
            posture=Posture.Proactive,
            within=timedelta(hours=overdue_hours),
        ),
        f"musc: no night has ended for {overdue_hours:g} hours",
        f"No run of {NIGHT} has come to an end in this time. See in the UI whether its schedule is paused, whether one "
        "has been going on since, and whether the worker and its machine are there.",
    )


def create_alerts(block: str, overdue_hours: float = OVERDUE_HOURS) -> dict[str, str]:
    """Have messages sent through a notification block of the server; any number of times.

    Args:
        block: as `<type>/<name>`, such as `slack-webhook/quality`.
        overdue_hours: a message is sent where no night has ended for so long.

    Returns:
        `created`, `updated` or `unchanged` by the name of the automation.

    Raises:
        ValueError: if the server has no such block, or the hours are too few.
    """
    if not overdue_hours * 3600 >= LEAST_OVERDUE_SECONDS:
        raise ValueError(
            f"overdue must be at least {LEAST_OVERDUE_SECONDS} seconds in hours, got {overdue_hours:g}; "
            f"{OVERDUE_HOURS:g} suits one night a day"
        )
    kind, _, name = block.partition("/")
    try:
        with get_client(sync_client=True) as client:
            document = client.read_block_document_by_name(name, kind)
    except ObjectNotFound:
        raise ValueError(
            f"alert must be a notification block of the server as <type>/<name>, got {block!r}, which is not "
            "there; `prefect block ls` lists them, and the UI makes them (Blocks, +)"
        ) from None
    return {made.name: keep_automation(made) for made in alerts(document.id, overdue_hours)}
