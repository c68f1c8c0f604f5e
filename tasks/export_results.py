"""A run's results as files for other programs: the score table as CSV, odd places for annotation and training."""

from collections.abc import Callable, Mapping

from planning.task_results import StoredArtefact
from reports.exports.csv_coco_labelstudio import Marked, as_coco, as_labelstudio, csv_bytes, json_bytes
from reports.exports.cvat_yolo import as_cvat, as_yolo
from reports.page.finished_run import FinishedRun
from reports.page.run_files_specs import ExportSpec
from storage.artefacts import is_complete, writing
from storage.images.drawn_shapes import OUTLINE
from storage.results.run_files import ExportKind
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE, GOOD
from storage.store import Store


def write_export(spec: ExportSpec) -> StoredArtefact:
    """Make sure a run's results are stored in one format."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        name, content = FORMATS[spec.kind]
        made = content(FinishedRun(Run(store, spec.run), spec.folder), spec.image_prefix)
        with writing(store, spec.path) as staging:
            staging.facts["key"] = spec.key
            store.write(f"{staging.path}/{name}", made)
    return StoredArtefact(path=spec.path)


def csv_content(finished: FinishedRun, image_prefix: str | None) -> bytes:
    """The score table, and what is odd about flagged and suspect images; it names no addresses."""
    scores = finished.run.scores()
    causes = scores["image_id"].map({image_id: cause.text for image_id, cause in finished.causes.of_image.items()})
    return csv_bytes(scores.assign(cause=causes.fillna("")))


def coco_content(finished: FinishedRun, image_prefix: str | None) -> bytes:
    """COCO's object detection; it holds paths in the lot, which its readers join to a folder of theirs."""
    description = f"Odd places found by MuSc in {finished.record.job.lot} ({model_of(finished)})"
    return json_bytes(as_coco(marked_images(finished), description))


def labelstudio_content(finished: FinishedRun, image_prefix: str | None) -> bytes:
    """Label Studio's tasks; the prefix goes before the path of each photograph, None leaves paths as they are."""
    return json_bytes(as_labelstudio(marked_images(finished), model=model_of(finished), prefix=image_prefix))


def cvat_content(finished: FinishedRun, image_prefix: str | None) -> bytes:
    """CVAT's XML; it names photographs by their paths in the lot."""
    return as_cvat(marked_images(finished), finished.record.job.lot, "auto")


def yolo_content(finished: FinishedRun, image_prefix: str | None) -> bytes:
    """YOLO's boxes."""
    return as_yolo(marked_images(finished), outlines=False)


def yolo_segments_content(finished: FinishedRun, image_prefix: str | None) -> bytes:
    """YOLO's segments."""
    return as_yolo(marked_images(finished), outlines=True)


FORMATS: Mapping[ExportKind, tuple[str, Callable[[FinishedRun, str | None], bytes]]] = {
    "csv": ("scores.csv", csv_content),
    "coco": ("coco.json", coco_content),
    "labelstudio": ("labelstudio.json", labelstudio_content),
    "cvat": ("annotations.xml", cvat_content),
    "yolo": ("yolo.zip", yolo_content),
    "yolo-segments": ("yolo-segments.zip", yolo_segments_content),
}
"""Of each format its file and what makes the content, of a run and the prefix of its photographs' addresses."""


def model_of(finished: FinishedRun) -> str:
    """What made the marks, as other programs show it."""
    return f"{finished.record.job.backbone.name}, run {finished.record.keys.run}"


def marked_images(finished: FinishedRun) -> list[Marked]:
    """All scored images with what was found."""
    return [marked_image(finished, position) for position in range(len(finished.images))]


def marked_image(finished: FinishedRun, position: int) -> Marked:
    """One image with its decision and, if it is flagged or suspect, the outlines of its odd places."""
    row = finished.scores.iloc[position]
    facts = {name: float(row[name]) for name in ("raw_score", "score", "p_value")}
    regions = [
        {"shape": OUTLINE, "points": [list(point) for point in outline.points], "score": outline.peak_score}
        for outline in finished.outlines(position)
    ]
    label = DEFECTIVE if finished.listed[position] else GOOD
    words = {"decision": str(row["decision"])}
    if cause := finished.causes.of_image.get(finished.images[position].image_id):
        words["cause"] = cause.text
    return Marked(finished.images[position], label, regions, facts | words)
