"""Score every lot below a root that has no finished result yet: what is scheduled every night."""

from datetime import date
from typing import Any

from prefect import flow

from flows.hooks import crashed
from flows.pipelines.night import score_night
from flows.runners import PrefectRunner, one_at_a_time
from flows.score_lot import score_lot
from musc.decisions.rule import DecisionRule
from musc.mutual import Interval
from musc.settings import ImageSize, Settings
from tasks.planning.job import DEFAULT_OUTPUT
from tasks.planning.report_specs import MapKind

DEFAULTS = Settings()
DEFAULT_ROOT = "lots"


@flow(name="nightly-lots", flow_run_name="nightly {root}", task_runner=one_at_a_time(), on_crashed=[crashed])
def score_lots(
    root: str = DEFAULT_ROOT,
    output: str = DEFAULT_OUTPUT,
    category: str | None = None,
    since: date | None = None,
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
    """Score every lot below a root that has no finished result for these settings, so that missed nights are made up.

    Args:
        root: path or URL of a folder with lots as `<category>/<date>/…images`.
        output: path or URL of the store that keeps features, scores and runs.
        category: name of the only product to score; all unless given.
        since: leave out lots of earlier dates; lots whose folder's name begins with no date are never left out.
        backbone: a published name, any open_clip ViT, `timm:<model>`, or the built-in `texture`.
        weights: tag or local file; the published choice unless given.
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
        dask_address: of a running Dask scheduler whose workers reach root and output; else workers start here.
        workers: Dask worker processes here; one per GPU, or one for every two cores, unless given.

    Returns:
        How many lots were `scored`, had been `finished_before`, were `too_small`, or `failed`; `runs`, the paths of
        what was scored; and `notes`, a sentence for each thing a person should know: folders that are no lots, why lots
        are too small, reports that could not be made, files that could not be opened.

    Raises:
        NoImagesError: if the root is missing.
        ValueError: for an option out of range or an unknown category, by name, before any work.
        NightFailedError: at the end, if lots failed; the results of the others are kept.
    """
    shared = {name: value for name, value in locals().items() if name not in ("root", "category", "since")}
    return score_night(root, category, since, shared, PrefectRunner(), score_lot)
