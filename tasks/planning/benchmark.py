"""Prepare a benchmark: a job for every category and backbone, refusing whatever cannot work before anything is done."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from musc.backbones import PAPER_DEFAULTS
from musc.backbones.catalogue import PAPER_NAME
from musc.plan.partition import plan_subsets
from storage.datasets import list_categories
from storage.secrets import require_no_secret
from tasks.planning.job import DEFAULT_OUTPUT, LotJob, prepare, require_name

PAPER_RSCIN_WINDOWS = {"visa": (1, 8, 9)}
"""RsCIN windows the paper uses instead of the default."""


def benchmark_jobs(
    dataset: str,
    root: str,
    output: str = DEFAULT_OUTPUT,
    *,
    categories: Sequence[str] | None = None,
    backbones: Sequence[str] = (PAPER_NAME,),
    weights: str | None = None,
    rscin_windows: tuple[int, ...] | None = None,
    subsets: int = 1,
    **parameters: Any,
) -> list[LotJob]:
    """Check every parameter of `flows.benchmark`; all backbones and categories, before the first one starts.

    Raises:
        DatasetLayoutError: if the root does not have the dataset's layout, naming every problem.
        ValueError: as `tasks.planning.job.prepare`, if one weights file is given for several backbones, if a backbone
            is given twice, or if a category has too few images for its subsets.
    """
    require_no_secret("root", root)
    found = list_categories(dataset, root, categories)
    if not backbones:
        raise ValueError(f"backbones must name at least one backbone, got none; the paper uses {PAPER_NAME}")
    if len(set(backbones)) < len(backbones):
        raise ValueError(f"backbones must differ from each other, got {', '.join(backbones)}; name each once")
    if weights and len(backbones) > 1:
        raise ValueError(f"weights must go with one backbone, got {len(backbones)}; run them one by one")
    for category in found:
        require_name("category", category.name)
        plan_subsets(len(category.images), subsets)
    parameters |= {
        "weights": weights,
        "rscin_windows": rscin_windows or PAPER_RSCIN_WINDOWS.get(dataset, PAPER_DEFAULTS.rscin_windows),
        "subsets": subsets,
    }
    prepared = [prepare(root, output, lot=dataset, backbone=backbone, **parameters) for backbone in backbones]
    return [replace(job, lot=category.name, category=category.name) for job in prepared for category in found]
