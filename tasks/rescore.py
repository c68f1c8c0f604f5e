"""The last stage of scoring. A run that is written already ends at once, and loads nothing that computes."""

from planning.task_results import ScoredRun
from planning.task_specs import RunSpec
from reports.run_record import read_record, scored_run
from storage.artefacts import is_complete, writing
from storage.results.runs import Run
from storage.store import Store


def rescore_lot(spec: RunSpec) -> ScoredRun:
    """Make sure a lot's run is written: tables, patch scores and record."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        from tasks.write_run import write_run

        with writing(store, spec.path) as staging:
            write_run(store, spec, staging.path)
    return scored_run(spec.path, read_record(Run(store, spec.path)))
