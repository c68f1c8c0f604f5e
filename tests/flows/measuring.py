"""A benchmark run at toy size, and what it leaves in its store."""

from pathlib import Path
from typing import Any

import pandas as pd

from reports.run_record import read_record
from storage.results.runs import Run
from storage.store import Store
from storage.tables import read_table

SMALL: dict[str, Any] = {"backbone": ("texture",), "image_size": 64, "layers": (0,), "degrees": (1,)}
OPTIONS = ("--backbone", "texture", "--image-size", "64", "--layers", "0", "--degrees", "1")


def measure(dataset: str, root: Path, output: Path, **changes: Any) -> pd.DataFrame:
    from tests.flat import benchmark

    done = benchmark(dataset, str(root), str(output), **{**SMALL, **changes})
    return read_table(Store(str(output)), done.benchmark)


def runs(output: Path) -> dict[str, Run]:
    """The only run of each category."""
    found = [Run(Store(str(output)), f"runs/{path.name}") for path in sorted((output / "runs").iterdir())]
    by_category = {read_record(run).job.category: run for run in found}
    assert len(by_category) == len(found)
    return by_category


def written(output: Path, *stages: str) -> dict[str, int]:
    """When each artefact of the stages was completed."""
    markers = [path for stage in stages for path in output.glob(f"{stage}/[!.]*/complete.json")]
    return {str(path.relative_to(output)): path.stat().st_mtime_ns for path in markers}
