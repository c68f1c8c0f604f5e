"""Evaluate: the metrics of one scored category, as a cached artefact, and the table of a whole benchmark."""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from planning.lot_job import LotJob
from planning.task_results import Benchmarked, ScoredRun, StoredArtefact
from planning.task_specs import EvaluateSpec
from reports.evaluation.comparison_table import with_means
from reports.evaluation.labels import labelled, network_size_metrics
from reports.evaluation.loco import loco_metrics
from storage.artefacts import digest, is_complete, writing
from storage.datasets import LabelledImage, labels_digest
from storage.datasets.stored_categories import read_category
from storage.results.runs import Run
from storage.store import Store
from storage.tables import BENCHMARKS, METRICS_TABLE, read_table, write_table

log = logging.getLogger(__name__)

PIXEL = "pixel_"
"""Begins the names of metrics of pixels."""


def evaluate_category(spec: EvaluateSpec) -> StoredArtefact:
    """Make sure the metrics of one scored category are stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        category = read_category(store, spec.labels)
        results = labelled(Run(store, spec.run), category, spec.root, spec.root)
        loco = spec.dataset == "mvtec_loco"
        metrics = loco_metrics(results, spec.root) if loco else network_size_metrics(results, spec.dataset, spec.root)
        without_mask = len(results.pixels_known) - sum(results.pixels_known)
        if without_mask:
            log.warning(
                "%d images of %s are left out of metrics of pixels: their masks are missing", without_mask, spec.label
            )
        with writing(store, spec.path) as staging:
            write_table(store, f"{staging.path}/{METRICS_TABLE}", metric_rows(metrics, results.images))
    return StoredArtefact(path=spec.path)


def metric_rows(metrics: Mapping[str, float], images: Sequence[LabelledImage]) -> pd.DataFrame:
    """A row per metric, with the images it is made from, and those it leaves out because their masks are missing.

    Args:
        metrics: by name; those of pixels begin with `pixel_`.
    """
    without_mask = sum(not image.pixels_known for image in images)
    left_out = [without_mask if name.startswith(PIXEL) else 0 for name in metrics]
    counts = [len(images) - count for count in left_out]
    rows = {"metric": list(metrics), "value": list(metrics.values()), "images": counts, "without_mask": left_out}
    defective = sum(image.label for image in images)
    return pd.DataFrame({**rows, "good": len(images) - defective, "defective": defective})


def write_benchmark(
    store: str, name: str, measured: Sequence[tuple[LotJob, str, str]], not_read: str = ""
) -> Benchmarked:
    """Write a benchmark's table from its measured categories.

    Args:
        measured: job, dataset and path of the metrics of every category that was measured.
        not_read: which images of the dataset were not read; empty if all were.
    """
    opened = Store(store)
    rows = [
        benchmark_rows(job, dataset, read_table(opened, f"{path}/{METRICS_TABLE}")) for job, dataset, path in measured
    ]
    path = f"{BENCHMARKS}/{name}/{METRICS_TABLE}"
    write_table(opened, path, with_means(pd.concat(rows, ignore_index=True)).assign(not_read=not_read))
    return Benchmarked(benchmark=path)


def benchmark_rows(job: LotJob, dataset: str, metrics: pd.DataFrame) -> pd.DataFrame:
    """The metrics of one category with what they belong to; a square image size is written as one side."""
    return metrics.assign(
        dataset=dataset,
        backbone=job.backbone.name,
        image_size=job.size_text,
        category=job.category,
    )


def evaluate_spec(job: LotJob, category: str, run: ScoredRun) -> EvaluateSpec:
    """The spec that measures a scored category, stored at a path; other labels or masks make another key."""
    labels = read_category(Store(job.store), category)
    source = digest({"run": run.key, "labels": labels_digest(job.folder, labels)})
    return EvaluateSpec(source, job.category, job.store, labels.dataset, job.folder, run.run, category)


def benchmark_name(dataset: str, jobs: Sequence[LotJob], in_regions: Sequence[str]) -> str:
    """A folder name that differs with the settings, so that results of different settings stay apart.

    Args:
        jobs: of all categories, whether they could be measured or not.
        in_regions: paths of metrics within a region of interest, whose masks the jobs do not hold.
    """
    facts = {"jobs": [[job.category, job.folder, job.score_identity] for job in jobs], "in_regions": list(in_regions)}
    return f"{dataset}-{digest(facts)[:8]}"
