"""What follows a scored lot: its profile, its page, maps and exports as files. Whatever fails here, the scores stay."""

import logging
from collections.abc import Sequence

from tasks.export_maps import write_maps
from tasks.export_results import write_export
from tasks.planning.lot_job import LotJob
from tasks.planning.requests import MapKind
from tasks.planning.returns import ScoredRun
from tasks.profile import profile_run
from tasks.report import clear_outdated, write_report
from tasks.reporting.specs import export_specs, maps_spec, profile_spec, report_spec
from tasks.runtime.runner import Runner
from tasks.runtime.stage import run_stage

log = logging.getLogger(__name__)


def report_run(
    job: LotJob, run: ScoredRun, runner: Runner, maps: MapKind | None = None, export: Sequence[str] = ()
) -> tuple[str | None, tuple[str, ...]]:
    """Make the page of a finished run, and its maps and exports as files if asked to.

    Args:
        job: what was run.
        run: which run.
        runner: where it is made.
        maps: kind of files; none unless given.
        export: formats of results.

    Returns:
        The path of the page in the store, or None where it could not be made, and a sentence for each thing that could
        not.
    """
    report, problems = None, []
    try:
        profiling = profile_spec(job, run)
        run_stage("profile", profile_run, [profiling], runner)
        reporting = report_spec(job, run, profiling)
        clear_outdated(reporting)
        report = run_stage("report", write_report, [reporting], runner)[0].path
    except Exception as error:  # a page is a convenience; the scores are complete and must be handed on
        problems.append(f"the report could not be made ({error}); the scores are complete")
    if maps:
        try:
            run_stage("maps", write_maps, [maps_spec(job, run, maps)], runner)
        except Exception as error:
            problems.append(f"the maps could not be written ({error}); the scores are complete")
    try:
        run_stage("export", write_export, export_specs(job, run, export), runner)
    except Exception as error:
        problems.append(f"the results could not be exported ({error}); the scores are complete")
    for problem in problems:
        log.error(problem)
    return report, tuple(problems)
