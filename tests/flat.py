"""Pipelines and planning called with flat options, as the command line does; each goes into the model that holds it.

Pipelines run inline unless another `engine` is named, which makes them flows of Prefect: what the stages compute is
the same, and a test of that needs no server.
"""

from dataclasses import replace
from typing import Any

from cli.process import engines
from musc.backbones import with_defaults
from musc.decisions.decision_words import Basis
from musc.layers import BackboneSpec, Layer
from musc.settings import ChosenSettings, Settings
from planning import benchmark as benchmark_planning
from planning import job_from_request as job_planning
from planning.benchmark import BenchmarkJob
from planning.lot_job import LotJob
from planning.nights.outcomes import Night
from planning.requests import BenchmarkRequest, LotRequest, NightRequest, request_of
from planning.resources import Allocation
from planning.stage_versions import RECORD_VERSION
from planning.task_results import Benchmarked, ScoredLot
from reports.run_record import RunRecord

INLINE = {"engine": "inline"}


def lot_request(folder: Any, output: Any = "musc-results", **options: Any) -> LotRequest:
    return request_of(LotRequest, {"folder": str(folder), "output": str(output), **options})


def prepare(folder: Any, output: Any = "musc-results", subsets: int = 1, **options: Any) -> LotJob:
    return job_planning.prepare(lot_request(folder, output, **options), subsets)


def benchmark_jobs(dataset: str, root: Any, output: Any = "musc-results", **options: Any) -> list[BenchmarkJob]:
    given = {"dataset": dataset, "root": str(root), "output": str(output), **options}
    return benchmark_planning.benchmark_jobs(request_of(BenchmarkRequest, given))


def score_lot(folder: Any, output: Any = "musc-results", **options: Any) -> ScoredLot:
    request = lot_request(folder, output, **INLINE | options)
    if request.resources.engine == "inline":
        return engines.score_lot(request)
    from flows.score_lot import score_lot as flow

    return flow(**dict(request))


def score_lots(root: Any, output: Any = "musc-results", **options: Any) -> Night:
    request = request_of(NightRequest, {"root": str(root), "output": str(output), **INLINE, **options})
    if request.resources.engine == "inline":
        return engines.score_lots(request, lambda outcome: None)
    from flows.score_lots import score_lots as flow

    return flow(**dict(request))


def benchmark(dataset: str, root: Any, output: Any = "musc-results", **options: Any) -> Benchmarked:
    given = {"dataset": dataset, "root": str(root), "output": str(output), **INLINE, **options}
    request = request_of(BenchmarkRequest, given)
    if request.resources.engine == "inline":
        return engines.run_benchmark(request)
    from flows.benchmark import benchmark as flow

    return flow(**dict(request))


def chosen(**options: Any) -> ChosenSettings:
    """Settings as a job has them."""
    return with_defaults(Settings(**options))


def with_allocation(job: LotJob, **changes: Any) -> LotJob:
    return replace(job, allocation=replace(job.allocation, **changes))


def record_of(job: LotJob, **changes: Any) -> RunRecord:
    """A run's record that says nothing but its job, unless given."""
    decision: dict[str, Any] = {"score": "raw_score", "flag_basis": Basis.LOT, "basis": Basis.LOT, "remark": ""}
    decision |= {"expected_false_alarms": 0.5, "suspects": 0.03, "nights": ()}
    decision |= dict.fromkeys(("review_budget", "fixed_threshold", "threshold", "suspect_threshold", "pixel_threshold"))
    decision |= dict.fromkeys(("reference_count", "above_count", "flagged_count", "suspect_count"), 0)
    nothing: dict[str, Any] = {
        "record_version": RECORD_VERSION,
        "recorded": "2026-11-25T01:00:00+00:00",
        "recorded_day": str(changes.get("recorded", "2026-11-25"))[:10],
        "settings_digest": "settings",
        "decision": decision,
        **dict.fromkeys(("groups", "notes", "warnings", "earlier_references"), ()),
        "images": {"ok": 2},
        "keys": {"run": "r", "listing": "l", "features": (), "patch_scores": (), "groups": ()},
        "versions": {},
    }
    return RunRecord(**{**nothing, "job": job, **changes})


def job_of(**changes: Any) -> LotJob:
    """A job of a net that does not exist: for what only plans, reads or writes down."""
    backbone = BackboneSpec("net", "tag", "digest-1", (64, 64), (Layer(0, (8, 8), 24), Layer(2, (8, 8), 24)), 48)
    whole = LotJob("photos", "out", "night", "cap", chosen(backbone="net"), backbone, Allocation("cpu", 10**9))
    return replace(whole, **changes)
