"""Measure: the metrics of one scored category, as a cached artefact, and the table of a whole benchmark."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from storage.artefacts import digest, is_complete, writing
from storage.datasets import Category, labels_digest, list_categories
from storage.results.runs import Run
from storage.store import Store
from storage.tables import BENCHMARKS, METRICS_TABLE, read_table, write_table
from tasks.evaluation.labels import labelled, network_size_metrics
from tasks.evaluation.loco import loco_metrics
from tasks.evaluation.published import with_means
from tasks.planning.job import LotJob
from tasks.planning.lot import stage_key
from tasks.planning.specs import EvaluateSpec

MEASURE_VERSION = 1


def evaluate_category(spec: EvaluateSpec) -> dict[str, Any]:
    """Make sure the metrics of one scored category are stored.

    Returns:
        `path` of the artefact.
    """
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        (category,) = list_categories(spec.dataset, spec.root, [spec.category])
        found = labelled(Run(store, spec.run), category, spec.root, spec.root)
        loco = spec.dataset == "mvtec_loco"
        metrics = loco_metrics(found, spec.root) if loco else network_size_metrics(found, spec.dataset, spec.root)
        rows = pd.DataFrame({"metric": list(metrics), "value": list(metrics.values()), "images": len(found.images)})
        with writing(store, spec.path) as staging:
            write_table(store, f"{staging.path}/{METRICS_TABLE}", rows)
    return {"path": spec.path}


def write_benchmark(store: str, name: str, measured: Sequence[tuple[LotJob, str, str]]) -> dict[str, Any]:
    """Write a benchmark's table from its measured categories.

    Args:
        store: where.
        name: of the benchmark's folder.
        measured: job, dataset and path of the metrics of every category that was measured.

    Returns:
        `benchmark`, the path of the table in the store.
    """
    place = Store(store)
    rows = [
        benchmark_rows(job, dataset, read_table(place, f"{path}/{METRICS_TABLE}")) for job, dataset, path in measured
    ]
    path = f"{BENCHMARKS}/{name}/{METRICS_TABLE}"
    write_table(place, path, with_means(pd.concat(rows, ignore_index=True)))
    return {"benchmark": path}


def benchmark_rows(job: LotJob, dataset: str, metrics: pd.DataFrame) -> pd.DataFrame:
    """The metrics of one category with what they belong to; a square image size is written as one side."""
    height, width = job.backbone.image_size
    return metrics.assign(
        dataset=dataset,
        backbone=job.backbone.name,
        image_size=str(height) if height == width else f"{height}x{width}",
        category=job.category,
    )


def evaluate_spec(job: LotJob, category: Category, run: dict[str, Any]) -> EvaluateSpec:
    """The spec that measures a scored category; other labels or masks make another key."""
    key = stage_key("measure", MEASURE_VERSION, run=run["key"], labels=labels_digest(job.folder, category))
    return EvaluateSpec(key, category.dataset, job.category, job.store, job.folder, run["run"])


def benchmark_name(dataset: str, jobs: Sequence[LotJob], seed: int) -> str:
    """A folder name that differs with the settings, so that results of different settings stay apart."""
    identity = [[job.category, job.folder, job.identity] for job in jobs]
    return f"{dataset}-{digest({'jobs': identity, 'seed': seed})[:8]}"
