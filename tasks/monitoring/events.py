"""Events for Prefect's automations: what came out of a lot or a flight check, a photograph that was flagged."""

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.events import emit_event

from planning.job_from_request import LotJob, names_of
from planning.nights.check_lines import FlightCheck, Level
from planning.task_results import ScoredLot, ScoredRun
from reports.notices import own_notices
from reports.run_record import read_record
from storage.results.runs import Run
from storage.store import Store


def emit_scored(job: LotJob, scored: ScoredRun) -> None:
    """Tell automations what came out of a lot.

    Triggers look at labels of the resource, messages at the payload; so counts are in both.
    """
    run = Run(Store(job.store), scored.run)
    lot = scored if isinstance(scored, ScoredLot) else None
    notices = own_notices(read_record(run))
    warnings = list(lot.warnings if lot else notices.warnings)
    unusual = list(lot.unusual) if lot else []
    emit_event(
        "musc.lot.scored",
        resource={
            **lot_resource(job.category, job.lot),
            "musc.flagged": str(notices.flagged_count),
            "musc.suspect": str(notices.suspect_count),
            "musc.warnings": str(len(warnings)),
            "musc.unusual": str(len(unusual)),
            "musc.alert": "yes" if unusual else "no",
        },
        payload={
            "category": job.category,
            "lot": job.lot,
            "images": scored.images,
            "files": scored.files,
            "flagged": notices.flagged_count,
            "suspect": notices.suspect_count,
            "warnings": warnings,
            "unusual": unusual,
            "page": run.report() or run.store.location(run.path),
            "run": scored.run,
            "store": job.store,
            "backbone": job.backbone.name,
        },
    )


def emit_stopped(state: str, run: str, parameters: Mapping[str, Any], tasks: Sequence[str], reason: str) -> None:
    """Tell automations that a lot `failed` or `crashed`, and what it was doing.

    Args:
        state: `failed` or `crashed`.
        tasks: names of the task runs that did not finish: stage, category and block or shard.
    """
    job = parameters.get("job")
    options = job if isinstance(job, dict) else parameters
    lot, category = names_of(str(options.get("folder") or run), options.get("lot"), options.get("category"))
    stages = sorted({name.partition(" ")[0] for name in tasks})
    emit_event(
        f"musc.lot.{state}",
        resource={**lot_resource(category, lot), "musc.alert": "yes"},
        payload={"category": category, "lot": lot, "stages": stages, "tasks": list(tasks), "reason": reason},
    )


def emit_flagged(row: Mapping[str, Any]) -> None:
    """Tell automations of a photograph that was flagged as it came; `row` is that of the table of arrivals."""
    resource = {**lot_resource(str(row["category"]), str(row["path"])), "prefect.resource.name": str(row["path"])}
    emit_event("musc.image.flagged", resource=resource, payload=dict(row))


def emit_checked(check: FlightCheck) -> None:
    """Tell automations that a flight check `passed` or `failed`, with every line that is not ok."""
    odd = [line for line in check.lines if line.level != Level.OK]
    emit_event(
        f"musc.check.{'passed' if check.has_passed else 'failed'}",
        resource={
            "prefect.resource.id": f"musc.check.{check.root}",
            "prefect.resource.name": check.root,
            "musc.failed": str(len(check.with_level(Level.FAILS))),
            "musc.warnings": str(len(check.with_level(Level.WARNING))),
        },
        payload={"root": check.root, "headline": check.headline, "lines": [line.text for line in odd]},
    )


def lot_resource(category: str, lot: str) -> dict[str, str]:
    """A lot as Prefect's events name things."""
    return {
        "prefect.resource.id": f"musc.lot.{category}.{lot}",
        "prefect.resource.name": lot,
        "musc.category": category,
    }
