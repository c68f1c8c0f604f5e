"""Score one lot, a folder of images of one product."""

from typing import Any

from prefect import flow, runtime

from flows.hooks import crashed, failed
from flows.pipelines.lot import score_folder
from flows.runners import PrefectRunner, one_at_a_time
from musc.decisions.rule import DecisionRule
from musc.mutual import Interval
from musc.settings import ImageSize, Settings
from tasks.planning.job import DEFAULT_OUTPUT, MapKind, default_lot

DEFAULTS = Settings()


def run_name() -> str:
    """What a person reads in the list of runs."""
    given = runtime.flow_run.parameters
    return f"score {given.get('lot') or default_lot(given['folder'])}"


@flow(
    name="score-lot",
    flow_run_name=run_name,
    task_runner=one_at_a_time(),
    on_failure=[failed],
    on_crashed=[crashed],
)
def score_lot(
    folder: str,
    output: str = DEFAULT_OUTPUT,
    lot: str | None = None,
    category: str | None = None,
    backbone: str = DEFAULTS.backbone,
    weights: str | None = DEFAULTS.weights,
    image_size: ImageSize | None = DEFAULTS.image_size,
    layers: tuple[int, ...] | None = DEFAULTS.layers,
    quick_gelu: bool | None = DEFAULTS.quick_gelu,
    position_antialias: bool = DEFAULTS.position_antialias,
    precision: str = DEFAULTS.precision,
    degrees: tuple[int, ...] | None = DEFAULTS.degrees,
    interval: Interval = DEFAULTS.interval,
    rscin_windows: tuple[int, ...] | None = DEFAULTS.rscin_windows,
    references: int | None = DEFAULTS.references,
    seed: int = DEFAULTS.seed,
    match_radius: int | None = DEFAULTS.match_radius,
    references_from: tuple[str, ...] = (),
    device: str = "auto",
    memory: str | None = None,
    block_images: int | None = None,
    store_aggregated: bool = False,
    false_alarms: float = DecisionRule.false_alarms,
    review_budget: int | None = DecisionRule.review_budget,
    threshold: float | None = DecisionRule.threshold,
    exclude_groups: bool = False,
    maps: MapKind | None = None,
    engine: str = "threads",
    dask_address: str | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """Score the images of one product in a folder against each other.

    Args:
        folder: path or URL of a folder of images, searched with all folders below.
        output: path or URL of the store that keeps features, scores and runs.
        lot: name of these images; the folder's name unless given.
        category: name of the product; the lot's name unless given.
        backbone: `efficientnet-lite0`, a published name such as the paper's `ViT-L-14-336`, any open_clip ViT,
            `timm:<model>`, or the built-in filter bank `texture`.
        weights: tag or local file; the installed or published choice unless given.
        image_size: side, or height and width, in pixels; the backbone's own default unless given.
        layers: transformer blocks or levels, 0-based; the backbone's own default unless given.
        quick_gelu: OpenAI CLIP's activation; as the published numbers unless given.
        position_antialias: resize the position embedding with antialiasing.
        precision: of the backbone: `float32`, `float16`, `bfloat16`; `auto` is float16 on a GPU, float32 elsewhere.
        degrees: sides of the LNAMD neighbourhoods, odd; 1, 3, 5, and 1, 3 for convolutional networks, unless given.
        interval: fractions of the references, nearest first, that are averaged.
        rscin_windows: RsCIN neighbours, the image included; 1, 2, 3, and 1 for convolutional networks, unless given.
        references: score every image against a sample of so many others; all others unless given.
        seed: which sample.
        match_radius: match a patch only within so many patches of its own position; everywhere unless given.
        references_from: paths of earlier runs in the store whose accepted images are references too.
        device: `auto`, `cpu`, `cuda`, `cuda:1` …
        memory: most memory one scoring shard may use, e.g. `8GB`; half the GPU's, or the machine's, unless given.
        block_images: images per extraction task; a multiple of 8.
        store_aggregated: keep the features after LNAMD too, as cached work of their own (layers × degrees the space).
        false_alarms: good images expected to be flagged in a lot that holds defects.
        review_budget: most images flagged, the most anomalous of them; no limit unless given.
        threshold: raw score at and above which images are flagged; from the lot's own scores unless given.
        exclude_groups: where images share the same flaw, take it out of the references and score again.
        maps: also write every anomaly map as a file: `png` overlays and masks, or `tiff` of 32-bit floats.
        engine: `threads` of this process, or `dask`: a worker process per GPU, or several on the processor.
        dask_address: of a running Dask scheduler whose workers reach folder and output; else workers start here.
        workers: Dask worker processes that share a machine; here one per GPU, or one for every two cores, and behind an
            address one, unless given.

    Returns:
        `run`, the path of the results in the store, the counts `images` (scored) and `files`, `report`, the path of
        its page, or None where that could not be made, `problems`, a sentence for each thing that could not, and the
        count `unopened` of files that could not be opened.

    Raises:
        ValueError: for an option out of range, by name, before any work.
        NoImagesError: if fewer than two images can be scored, or none where there are references from earlier runs.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    return score_folder(locals(), PrefectRunner())  # every parameter, under its own name
