"""From a request to a benchmark's jobs, one for every category and backbone, all checked before the first starts."""

from dataclasses import replace
from typing import NamedTuple

from musc.backbones.families import PAPER_RSCIN_WINDOWS
from musc.plan.partition import plan_subsets
from musc.settings import Settings
from planning.job import prepare, require_name
from planning.lot_job import LotJob
from planning.requests import BenchmarkRequest, LotRequest
from storage.datasets import Category, list_categories

DATASET_RSCIN_WINDOWS = {"visa": (1, 8, 9)}
"""RsCIN windows that the paper uses for a dataset instead of its default."""


class BenchmarkJob(NamedTuple):
    """One category to be scored with one backbone, and its labels."""

    job: LotJob
    category: Category


def benchmark_jobs(request: BenchmarkRequest) -> list[BenchmarkJob]:
    """Check a request and make its jobs; the dataset's folders are listed once.

    Raises:
        DatasetLayoutError: if the root does not have the dataset's layout, naming every problem.
        ValueError: as `planning.job.prepare`, if weights are given for several backbones, or a category has too
            few images for its subsets.
    """
    found = list_categories(request.dataset, request.root, request.categories)
    settings = request.settings
    if settings.weights and len(request.backbone) > 1:
        raise ValueError(f"weights must go with one backbone, got {len(request.backbone)}; run them one by one")
    if request.roi and request.dataset == "mvtec_loco":
        raise ValueError(f"roi must be left out of mvtec_loco, got {request.roi}: AU-sPRO counts whole defects")
    if request.roi and len(found) > 1:
        raise ValueError(f"roi must go with one product, got {len(found)} categories; name one of them with categories")
    for category in found:
        require_name("category", category.name)
        plan_subsets(len(category.images), request.subsets)
    windows = settings.rscin_windows or DATASET_RSCIN_WINDOWS.get(request.dataset, PAPER_RSCIN_WINDOWS)
    requests = [
        LotRequest(
            folder=request.root,
            output=request.output,
            lot=request.dataset,
            roi=request.roi,
            settings=Settings(**{**dict(settings), "backbone": name, "rscin_windows": windows}),
            resources=request.resources,
        )
        for name in request.backbone
    ]
    if settings.keep_aspect:  # each category has proportions of its own
        jobs = [
            (prepare(lot_request, request.subsets, [image.path for image in category.images]), category)
            for lot_request in requests
            for category in found
        ]
    else:
        prepared = [prepare(lot_request, request.subsets) for lot_request in requests]
        jobs = [(job, category) for job in prepared for category in found]
    return [
        BenchmarkJob(replace(job, lot=found.name, category=found.name, dataset=request.dataset), found)
        for job, found in jobs
    ]
