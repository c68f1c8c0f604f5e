"""Runs of benchmarks on the site: labelled datasets, which are no nights of a product."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from storage.errors import DamagedError
from storage.tables import METRICS_TABLE
from web.nights import StoredRun

COUNTED = ("dataset", "backbone", "image_size", "category", "metric", "value", "good", "defective")


@dataclass(frozen=True)
class BenchmarkRun:
    """One category of a dataset, scored with one network, and what its labels say."""

    run: StoredRun
    good: int | None
    """Images with this label; None where the benchmark's table is not there, as before its end."""
    defective: int | None
    auroc: float | None
    """Image AUROC, in [0, 1]."""


def parse_metrics(content: bytes, place: str) -> pd.DataFrame:
    """A benchmark's table from the bytes of its file.

    Raises:
        DamagedError: if it is no such table.
    """
    try:
        return pd.read_parquet(io.BytesIO(content), columns=list(COUNTED))
    except (OSError, ValueError, KeyError) as error:
        raise DamagedError(
            f"{place}/{METRICS_TABLE} must be the table of a benchmark, got something else ({error})"
        ) from None


def benchmark_runs(runs: Mapping[str, StoredRun], tables: Iterable[pd.DataFrame]) -> list[BenchmarkRun]:
    """The runs of benchmarks, by dataset, category and network.

    Args:
        runs: every complete run.
    """
    rows = pd.concat([pd.DataFrame(columns=list(COUNTED)).astype(object), *tables])
    rows = rows[rows["metric"] == "image_auroc"]
    row_of = {
        (row["dataset"], row["category"], row["backbone"], str(row["image_size"])): row
        for row in rows.to_dict("records")
    }
    results = []
    for run in runs.values():
        job = run.record.job
        if job.dataset:
            row = row_of.get((job.dataset, job.category, job.backbone.name, job.size_text))
            values = (int(row["good"]), int(row["defective"]), float(row["value"])) if row else (None, None, None)
            results.append(BenchmarkRun(run, *values))
    return sorted(results, key=lambda item: (item.run.record.job.dataset, item.run.record.job.category, item.run.name))
