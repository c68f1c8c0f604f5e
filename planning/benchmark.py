"""From a request to a benchmark's jobs, one for every category and backbone, all checked before the first starts."""

from dataclasses import replace
from typing import NamedTuple

from musc.backbones.families import PAPER_RSCIN_WINDOWS
from musc.plan.partition import plan_subsets
from musc.settings import PAPER_BACKBONE
from planning.job import prepare, require_name
from planning.lot_job import LotJob
from planning.requests import BenchmarkRequest, LotRequest
from storage.datasets import Category, list_categories
from storage.secrets import require_no_secret

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
        ValueError: as `planning.job.prepare`, if weights are given for several backbones, a backbone is given
            twice, earlier runs are given as references, or a category has too few images for its subsets.
    """
    require_no_secret("root", request.root)
    found = list_categories(request.dataset, request.root, request.categories)
    settings = request.settings
    names = request.backbones or (settings.backbone or PAPER_BACKBONE,)
    if request.backbones and settings.backbone:
        raise ValueError(
            f"backbone must be left out where backbones are given, got {settings.backbone} beside "
            f"{', '.join(request.backbones)}; name all of them in backbones"
        )
    if len(set(names)) < len(names):
        raise ValueError(f"backbones must differ from each other, got {', '.join(names)}; name each once")
    if settings.weights and len(names) > 1:
        raise ValueError(f"weights must go with one backbone, got {len(names)}; run them one by one")
    if settings.references_from:
        raise ValueError(
            f"references_from must be left out of benchmarks, got {', '.join(settings.references_from)}: published "
            "numbers compare the images of a category with each other"
        )
    if (request.roi or request.roi_folder) and request.dataset == "mvtec_loco":
        raise ValueError(
            f"roi must be left out of mvtec_loco, got {request.roi or request.roi_folder}: AU-sPRO counts whole defects"
        )
    if (request.roi or request.roi_folder) and len(found) > 1:
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
            roi_folder=request.roi_folder,
            settings=settings.changed(backbone=name, rscin_windows=windows),
            resources=request.resources,
        )
        for name in names
    ]
    if settings.keep_aspect:  # each category has proportions of its own
        jobs = [
            (prepare(one, request.subsets, category.images[0].path), category) for one in requests for category in found
        ]
    else:
        prepared = [prepare(one, request.subsets) for one in requests]
        jobs = [(job, category) for job in prepared for category in found]
    return [BenchmarkJob(replace(job, lot=category.name, category=category.name), category) for job, category in jobs]
