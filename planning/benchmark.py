"""From a request to a benchmark's jobs, one for every category and backbone, all checked before the first starts."""

from dataclasses import replace
from typing import NamedTuple

from musc.backbone_families import PAPER_RSCIN_WINDOWS
from musc.plan.chunks_and_blocks import plan_subsets
from musc.settings import Settings
from planning.job_from_request import prepare, require_name
from planning.lot_job import LotJob, OfProduct
from planning.requests import BenchmarkRequest, LotRequest
from planning.tuning.take_accepted import with_accepted
from storage.datasets import Category, list_categories
from storage.store import Store, absolute

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
        ValueError: as `job_from_request.prepare`, if weights are given for several backbones, or a category has too
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
    shared: dict[Settings, LotJob] = {}
    jobs = []
    for name in request.backbone:
        for category in found:
            own, of_product = accepted_settings(request, name, category.name)
            own = own.changed(rscin_windows=windows)
            # each category has photographs of its own size
            told = settings.keep_aspect or request.smallest_flaw is not None
            paths = [image.path for image in category.images] if told else None
            if paths is not None or own not in shared:
                one = lot_request(request, own)
                shared[own] = prepare(one, request.subsets) if paths is None else prepare(one, request.subsets, paths)
            job = replace(shared[own], lot=category.name, category=category.name, dataset=request.dataset)
            jobs.append(BenchmarkJob(replace(job, of_product=of_product), category))
    return jobs


def accepted_settings(request: BenchmarkRequest, backbone: str, category: str) -> tuple[Settings, OfProduct | None]:
    """The settings of one category: those accepted for the product, unless the user asks for others."""
    plain = Settings(**dict(request.settings))
    own_choice = request.default_settings or request.smallest_flaw is not None
    if not own_choice and request.backbone == BenchmarkRequest.model_fields["backbone"].default:
        found, of_product = with_accepted(plain, Store(absolute(request.output)), category)
        if of_product:
            return found, of_product
    return plain.changed(backbone=backbone), None


def lot_request(request: BenchmarkRequest, settings: Settings) -> LotRequest:
    """What is asked of every category with these settings."""
    return LotRequest(
        folder=request.root,
        output=request.output,
        lot=request.dataset,
        roi=request.roi,
        settings=settings,
        resources=request.resources,
        default_settings=True,
        smallest_flaw=request.smallest_flaw,
    )
