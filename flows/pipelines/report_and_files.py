"""After scoring: the profile, the page, maps and exports of a run. Errors here never affect its scores."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from planning.lot_job import LotJob
from planning.task_results import ScoredRun
from planning.task_specs import Spec
from reports.notices import Notices, notices_of, own_notices, profile_of_run
from reports.page.causes import read_causes
from reports.page.run_files_specs import CausesSpec, causes_spec, export_specs, maps_spec, profile_spec, report_spec
from reports.run_record import RunRecord, read_record, scored_run
from reports.unusual_nights import MAX_EARLIER
from storage.artefacts import is_complete
from storage.results.profiles import later_profiles
from storage.results.run_files import NO_FILES, RunFiles
from storage.results.runs import Run
from storage.store import Store
from tasks.export_maps import write_maps
from tasks.export_results import write_export
from tasks.find_causes import find_causes
from tasks.profile import profile_run
from tasks.report import clear_outdated, is_outdated, language_of, write_report
from tasks.runtime.run_stage import run_stage
from tasks.runtime.runner import Runner

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AddedFiles:
    """What came of maps and exports."""

    problems: tuple[str, ...]
    """A sentence for each kind that could not be made."""
    created: tuple[str, ...]
    """What was not there before: `maps`, `exports`."""


@dataclass(frozen=True)
class Reported:
    """What was made from a finished run, and its warnings."""

    report: str | None
    """Path of the page in the store; None if it could not be made."""
    notices: Notices
    problems: tuple[str, ...]
    """A sentence for each thing that could not be made."""
    created: tuple[str, ...]
    """What was not there before: `page`, `maps`, `exports`."""


def report_run(job: LotJob, run: ScoredRun, runner: Runner, files: RunFiles = NO_FILES) -> Reported:
    """Make the page of a finished run, its maps and exports as files if asked to, and pages of later nights again."""
    finished = Run(Store(job.store), run.run)
    record = read_record(finished)
    report, notices = None, own_notices(record)
    problems, created = list[str](), list[str]()
    try:
        profiling = profile_spec(job, run, record)
        run_stage("profile", profile_run, [profiling], runner)
        notices = notices_of(finished.store, record)
        causes = causes_spec(job, run, files.pixel_size)
        problems += find_out_causes(causes, runner)
        reporting = report_spec(job, run, profiling, causes, files.language)
        clear_outdated(reporting)
        created += missing("page", [reporting])
        report = run_stage("report", write_report, [reporting], runner)[0].path
    except Exception as error:  # the scores are complete and are returned without a page
        problems.append(f"the report could not be made ({error}); the scores are complete")
    added = add_files(job, run, runner, files)
    problems += [*added.problems, *renew_later(finished.store, record, runner)]
    for problem in problems:
        log.error(problem)
    return Reported(report, notices, tuple(problems), (*created, *added.created))


def find_out_causes(causes: CausesSpec, runner: Runner) -> list[str]:
    """Find out what is odd about a run's images, anew where sizes have another unit.

    Returns:
        A sentence if that fails; page and files then say nothing of it.
    """
    try:
        clear_outdated(causes)
        run_stage("causes", find_causes, [causes], runner)
    except Exception as error:
        return [f"what is odd about the images could not be found out ({error}); the scores are complete"]
    return []


def add_files(job: LotJob, run: ScoredRun, runner: Runner, files: RunFiles) -> AddedFiles:
    """Make a finished run's maps and exports as files, as far as they are asked for and not there yet."""
    problems, created = list[str](), list[str]()
    try:
        drawing = [maps_spec(job, run, kind) for kind in files.maps]
        created += missing("maps", drawing)
        run_stage("maps", write_maps, drawing, runner)
    except Exception as error:
        problems.append(f"the maps could not be written ({error}); the scores are complete")
    try:
        exporting = export_specs(job, run, files)
        for spec in exporting:
            clear_outdated(spec)
        created += missing("exports", exporting)
        run_stage("export", write_export, exporting, runner)
    except Exception as error:
        problems.append(f"the results could not be exported ({error}); the scores are complete")
    return AddedFiles(tuple(problems), tuple(created))


def add_files_to(run: Run, runner: Runner, files: RunFiles) -> AddedFiles:
    """The same for a run of an earlier command, made with the options of its record; its page in the language and unit
    that are asked for too."""
    record = read_record(run)
    job, scored = replace(record.job, store=run.store.url), scored_run(run.path, record)
    causes = causes_spec(job, scored, files.pixel_size)
    same_words, problems = (
        language_of(run) == files.language and not is_outdated(causes),
        find_out_causes(causes, runner),
    )
    added = add_files(job, scored, runner, files)
    added = replace(added, problems=(*problems, *added.problems))
    if same_words:
        return added
    try:
        reporting = report_spec(job, scored, profile_spec(job, scored, record), causes, files.language)
        clear_outdated(reporting)
        run_stage("report", write_report, [reporting], runner)
    except Exception as error:
        return replace(added, problems=(*added.problems, f"the report could not be made again ({error})"))
    return replace(added, created=("page", *added.created))


def missing(name: str, specs: Sequence[Spec]) -> list[str]:
    """The name of what the specs make, if any of it is not there yet."""
    return [name] if any(not is_complete(Store(spec.store), spec.path) for spec in specs) else []


def renew_later(store: Store, record: RunRecord, runner: Runner) -> list[str]:
    """Make the pages of later nights again that are compared with other runs since this one is there.

    Returns:
        A sentence for each page that could not be made again; the old one stays.
    """
    problems, own = [], profile_of_run(record)
    for profile in later_profiles(store, own, MAX_EARLIER) if is_complete(store, own) else []:
        try:
            if is_complete(store, profile.run):
                renew(Run(store, profile.run), runner)
        except Exception as error:  # a page that fails must not stop the others
            problems.append(f"the report of {profile.lot}, a later night, could not be made again ({error})")
    return problems


def renew(run: Run, runner: Runner) -> None:
    """Make a page again if it is there and was made from something else; it keeps its language."""
    record = read_record(run)
    job, scored = replace(record.job, store=run.store.url), scored_run(run.path, record)
    causes = causes_spec(job, scored, read_causes(run).facts.pixel_size)
    reporting = report_spec(job, scored, profile_spec(job, scored, record), causes, language_of(run))
    if is_outdated(reporting):
        log.info("the report of %s is made again: an earlier night was scored", job.lot)
        clear_outdated(reporting)
        run_stage("report", write_report, [reporting], runner)
