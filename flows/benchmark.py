"""Benchmark: score every category of a labelled dataset and compare with labels, masks and published numbers."""

import re
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

from flows.stages import one_at_a_time, score_listed
from musc.mutual import Interval
from musc.plan import plan_subsets
from musc.settings import ImageSize, Settings
from storage.datasets import Category, list_categories
from storage.store import Store
from storage.tables import read_table
from tasks.comparison import shown
from tasks.ingest import list_category
from tasks.measure import benchmark_name, measure_category, measure_order, write_benchmark
from tasks.prepare import DEFAULT_OUTPUT, LotJob, prepare
from tasks.stage import run_stage

DEFAULTS = Settings()
PAPER_WINDOW_SIZES = {"visa": (1, 8, 9)}
"""RsCIN windows the paper uses instead of the default."""


class BenchmarkFailedError(RuntimeError):
    """Some categories failed; the rows of all others are written."""

    def __init__(self, failures: list[str], count: int, path: str | None) -> None:
        rest = f"the others are in {path}" if path else "nothing was measured"
        super().__init__(f"{len(failures)} of {count} categories failed, {rest}: {'; '.join(failures)}")
        self.path = path
        """Of the table in the store, if any category was measured."""


@flow(
    name="benchmark-category",
    flow_run_name="{dataset} {job.category} {job.backbone.name}",
    task_runner=one_at_a_time(),
    validate_parameters=False,
)
def benchmark_category(dataset: str, job: LotJob, seed: int) -> str:
    """Score one category and measure it; lists it anew, as Prefect refuses parameters as long as a large listing.

    Returns:
        The path of its metrics in the store.
    """
    (category,) = list_categories(dataset, job.folder, [job.category])
    listing = list_category(job.folder, category, job.store, shuffled=job.subsets > 1, seed=seed)
    run = score_listed(job, listing["lot_key"])
    return str(run_stage(measure_category, [measure_order(job, category, run)])[0]["path"])


@flow(name="benchmark", flow_run_name="benchmark {dataset}", task_runner=one_at_a_time())
def benchmark(
    dataset: str,
    root: str,
    output: str = DEFAULT_OUTPUT,
    categories: tuple[str, ...] | None = None,
    backbones: tuple[str, ...] = (DEFAULTS.backbone,),
    weights: str | None = DEFAULTS.weights,
    image_size: ImageSize | None = DEFAULTS.image_size,
    layers: tuple[int, ...] | None = DEFAULTS.layers,
    quick_gelu: bool | None = DEFAULTS.quick_gelu,
    position_antialias: bool = DEFAULTS.position_antialias,
    precision: str = DEFAULTS.precision,
    degrees: tuple[int, ...] = DEFAULTS.degrees,
    interval: Interval = DEFAULTS.interval,
    window_sizes: tuple[int, ...] | None = None,
    subsets: int = 1,
    seed: int = 0,
    device: str = "auto",
    memory: str | None = None,
    block_images: int | None = None,
    store_aggregated: bool = False,
) -> dict[str, Any]:
    """Score the categories of a dataset, each as one lot, and compare with published numbers.

    Args:
        dataset: `mvtec_ad`, `visa`, `btad`, `mvtec_loco`, or `folder` for a set of one's own laid out like MVTec AD.
        root: the local folder of the dataset.
        output: path or URL of the store that keeps features, scores and results.
        categories: names of the categories to run; all unless given.
        backbones: one or more; they share what does not depend on the backbone.
        weights: tag or local file, for a single backbone; the published choice unless given.
        image_size: as `score_lot`, and so are layers, quick_gelu, position_antialias, precision, degrees and
            interval.
        window_sizes: RsCIN neighbours; the paper's for the dataset unless given.
        subsets: parts in which each category is scored; images are dealt by content, never by label or name.
        seed: of that dealing.
        device: as `score_lot`, and so are memory, block_images and store_aggregated.

    Returns:
        `benchmark`, the path of the table of metrics in the store.

    Raises:
        DatasetLayoutError: if the root does not have the dataset's layout, naming every problem, before any work.
        ValueError: for an option out of range, by name, before any work.
        BenchmarkFailedError: at the end, if categories failed; the rows of the others are written.
    """
    jobs = prepare_all(
        list_categories(dataset, root, categories),
        backbones,
        root,
        output,
        weights=weights,
        image_size=image_size,
        layers=layers,
        quick_gelu=quick_gelu,
        position_antialias=position_antialias,
        precision=precision,
        degrees=degrees,
        interval=interval,
        window_sizes=window_sizes or PAPER_WINDOW_SIZES.get(dataset, DEFAULTS.window_sizes),
        subsets=subsets,
        device=device,
        memory=memory,
        block_images=block_images,
        store_aggregated=store_aggregated,
    )
    measured, failures = [], []
    for job in jobs:
        try:
            measured.append((job, dataset, benchmark_category(dataset, job, seed)))
        except Exception as error:  # one category must not take the others with it
            get_run_logger().error("%s with %s failed: %s", job.category, job.backbone.name, error)
            failures.append(f"{job.category} with {job.backbone.name}: {error}")
    if not measured:
        raise BenchmarkFailedError(failures, len(jobs), None)
    done = write_benchmark(output, benchmark_name(dataset, jobs, seed), measured)
    publish(output, done["benchmark"], dataset)
    if failures:
        raise BenchmarkFailedError(failures, len(jobs), done["benchmark"])
    return done


def prepare_all(
    categories: list[Category], backbones: tuple[str, ...], root: str, output: str, **parameters: Any
) -> list[LotJob]:
    """A job for every category and backbone, all checked before the first one starts.

    Raises:
        ValueError: as `tasks.prepare.prepare`, if one weights file is given for several backbones, if a backbone is
            given twice, or if a category has too few images for its subsets.
    """
    if not backbones:
        raise ValueError("backbones must name at least one backbone, got none; the paper uses ViT-L-14-336")
    if len(set(backbones)) < len(backbones):
        raise ValueError(f"backbones must differ from each other, got {', '.join(backbones)}; name each once")
    if parameters["weights"] and len(backbones) > 1:
        raise ValueError(f"weights must go with one backbone, got {len(backbones)}; run them one by one")
    for category in categories:
        plan_subsets(len(category.images), parameters["subsets"])
    return [
        prepare(root, output, lot=category.name, category=category.name, backbone=backbone, **parameters)
        for backbone in backbones
        for category in categories
    ]


def publish(output: str, path: str, dataset: str) -> None:
    """Show the table in the Prefect UI, one for each backbone."""
    table = read_table(Store(output), path)
    for backbone in table["backbone"].unique():
        rows = shown(table, backbone).to_dict("records")
        create_table_artifact(
            table=[{str(heading): text for heading, text in row.items()} for row in rows],
            key=artifact_key(f"benchmark-{dataset}-{backbone}"),
            description=f"{dataset} with {backbone}, percent, difference from the published value in parentheses",
        )


def artifact_key(name: str) -> str:
    """A name as Prefect accepts it for an artifact: lower-case letters, digits and dashes.

    >>> artifact_key("benchmark-mvtec_ad-timm:vit_small_patch14_dinov2.lvd142m")
    'benchmark-mvtec-ad-timm-vit-small-patch14-dinov2-lvd142m'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
