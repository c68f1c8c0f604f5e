"""A run's results as files for other programs: the score table as CSV, odd places as COCO or for Label Studio."""

from planning.returns import StoredArtefact
from reports.formats import Marked, as_coco, as_labelstudio, csv_bytes, json_bytes
from reports.page.run_view import FinishedRun
from reports.page.specs import ExportSpec
from storage.artefacts import is_complete, writing
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE, GOOD, OUTLINE
from storage.store import Store

FILES = {"csv": "scores.csv", "coco": "coco.json", "labelstudio": "labelstudio.json"}


def write_export(spec: ExportSpec) -> StoredArtefact:
    """Make sure a run's results are stored in one format."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        content = export_content(spec.kind, FinishedRun(Run(store, spec.run), spec.folder), spec.image_prefix)
        with writing(store, spec.path) as staging:
            staging.facts["key"] = spec.key
            store.write(f"{staging.path}/{FILES[spec.kind]}", content)
    return StoredArtefact(path=spec.path)


def export_content(kind: str, finished: FinishedRun, image_prefix: str | None = None) -> bytes:
    """The content of one file.

    Args:
        kind: one of `FILES`.
        image_prefix: of the addresses from which Label Studio loads photographs; None leaves paths as they are.
    """
    if kind == "csv":
        return csv_bytes(finished.run.scores())
    marked = [marked_image(finished, position) for position in range(len(finished.images))]
    model = f"{finished.record.job.backbone.name}, run {finished.record.keys.run}"
    if kind == "coco":
        return json_bytes(as_coco(marked, f"Odd places found by MuSc in {finished.record.job.lot} ({model})"))
    return json_bytes(as_labelstudio(marked, model=model, prefix=image_prefix))


def marked_image(finished: FinishedRun, position: int) -> Marked:
    """One image with its decision and, if it is flagged or suspect, the outlines of its odd places."""
    row = finished.scores.iloc[position]
    facts = {name: float(row[name]) for name in ("raw_score", "score", "p_value")}
    regions = [
        {"shape": OUTLINE, "points": [list(point) for point in outline.points], "score": outline.peak_score}
        for outline in finished.outlines(position)
    ]
    label = DEFECTIVE if finished.listed[position] else GOOD
    return Marked(finished.images[position], label, regions, {**facts, "decision": str(row["decision"])})
