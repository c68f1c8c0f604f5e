"""Causes: what is odd about the flagged and suspect images of a run, found out after its scores."""

from planning.task_results import StoredArtefact
from reports.languages.current import speaking
from reports.page.causes import write_causes
from reports.page.find_causes import causes_of
from reports.page.finished_run import FinishedRun
from reports.page.run_files_specs import CausesSpec
from storage.artefacts import is_complete, writing
from storage.results.runs import Run
from storage.store import Store


def find_causes(spec: CausesSpec) -> StoredArtefact:
    """Make sure that what is odd about a run's images is stored, in English."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        finished = FinishedRun(Run(store, spec.run), spec.folder)
        causes = causes_of(finished, spec.pixel_size)
        with speaking("en"), writing(store, spec.path) as staging:
            staging.facts.update(key=spec.key, **causes.facts.model_dump(mode="json"))
            write_causes(store, staging.path, causes, {image.image_id: image.path for image in finished.images})
    return StoredArtefact(path=spec.path)
