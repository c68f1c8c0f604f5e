"""Benchmark: score every category of a labelled dataset and compare with labels, masks and published numbers."""

from typing import Any

from prefect import flow

from flows.hooks import crashed, failed
from flows.pipelines.dataset import measure_one, score_dataset
from flows.runners import PrefectRunner, one_at_a_time
from musc.backbones.catalogue import PAPER_NAME
from musc.mutual import Interval
from musc.settings import ImageSize, Settings
from tasks.planning.job import DEFAULT_OUTPUT, LotJob
from tasks.planning.resources import Engine

DEFAULTS = Settings()


@flow(
    name="benchmark-category",
    flow_run_name="{dataset} {job.category} {job.backbone.name}",
    task_runner=one_at_a_time(),
    validate_parameters=False,
    on_failure=[failed],
    on_crashed=[crashed],
)
def benchmark_category(dataset: str, job: LotJob, seed: int, engine: Engine) -> str:
    """Score one category and measure it; lists it anew, as Prefect refuses parameters as long as a large listing.

    Returns:
        The path of its metrics in the store.
    """
    return measure_one(dataset, job, seed, engine, PrefectRunner())


@flow(name="benchmark", flow_run_name="benchmark {dataset}", task_runner=one_at_a_time(), on_crashed=[crashed])
def benchmark(
    dataset: str,
    root: str,
    output: str = DEFAULT_OUTPUT,
    categories: tuple[str, ...] | None = None,
    backbones: tuple[str, ...] = (PAPER_NAME,),
    weights: str | None = DEFAULTS.weights,
    image_size: ImageSize | None = DEFAULTS.image_size,
    layers: tuple[int, ...] | None = DEFAULTS.layers,
    quick_gelu: bool | None = DEFAULTS.quick_gelu,
    position_antialias: bool = DEFAULTS.position_antialias,
    precision: str = DEFAULTS.precision,
    degrees: tuple[int, ...] | None = DEFAULTS.degrees,
    interval: Interval = DEFAULTS.interval,
    rscin_windows: tuple[int, ...] | None = None,
    references: int | None = DEFAULTS.references,
    match_radius: int | None = DEFAULTS.match_radius,
    subsets: int = 1,
    seed: int = DEFAULTS.seed,
    device: str = "auto",
    memory: str | None = None,
    block_images: int | None = None,
    store_aggregated: bool = False,
    engine: str = "threads",
    dask_address: str | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """Score the categories of a dataset, each as one lot, and compare with published numbers.

    Args:
        dataset: `mvtec_ad`, `visa`, `btad`, `mvtec_loco`, or `folder` for a set of one's own laid out like MVTec AD.
        root: the local folder of the dataset.
        output: path or URL of the store that keeps features, scores and results.
        categories: names of the categories to run; all unless given.
        backbones: one or more, the paper's unless given; they share what does not depend on the backbone.
        weights: tag or local file, for a single backbone; the published choice unless given.
        image_size: side, or height and width, in pixels; the backbone's own default unless given.
        layers: transformer blocks or levels, 0-based; the backbone's own default unless given.
        quick_gelu: OpenAI CLIP's activation; as the published numbers unless given.
        position_antialias: resize the position embedding with antialiasing.
        precision: of the backbone: `float32`, `float16`, `bfloat16`; `auto` is float16 on a GPU, float32 elsewhere.
        degrees: sides of the LNAMD neighbourhoods, odd; 1, 3, 5, and 1, 3 for convolutional networks, unless given.
        interval: fractions of the references, nearest first, that are averaged.
        references: score every image against a sample of so many others; all others unless given.
        match_radius: match a patch only within so many patches of its own position; everywhere unless given.
        rscin_windows: RsCIN neighbours; the paper's for the dataset unless given.
        subsets: parts in which each category is scored; images are dealt by content, never by label or name.
        seed: of that dealing, and of the sample of references.
        device: `auto`, `cpu`, `cuda`, `cuda:1` …
        memory: most memory one scoring shard may use, e.g. `8GB`; half the GPU's, or the machine's, unless given.
        block_images: images per extraction task; a multiple of 8.
        store_aggregated: keep the features after LNAMD too, as cached work of their own (layers × degrees the space).
        engine: `threads` of this process, or `dask`: a worker process per GPU, or several on the processor.
        dask_address: of a running Dask scheduler whose workers reach root and output; else workers start here.
        workers: Dask worker processes here; one per GPU, or one for every two cores, unless given.

    Returns:
        `benchmark`, the path of the table of metrics in the store.

    Raises:
        DatasetLayoutError: if the root does not have the dataset's layout, naming every problem, before any work.
        ValueError: for an option out of range, by name, before any work.
        BenchmarkFailedError: at the end, if categories failed; the rows of the others are written.
    """
    return score_dataset(locals(), PrefectRunner(), benchmark_category)  # every parameter, under its own name
