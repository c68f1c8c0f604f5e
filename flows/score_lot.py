"""Score one lot, a folder of images of one product."""

from typing import Any

from prefect import flow, runtime

from flows.stages import one_at_a_time, score_listed
from musc.mutual import Interval
from musc.settings import ImageSize, Settings
from tasks.ingest import list_images
from tasks.prepare import DEFAULT_OUTPUT, default_lot, prepare

DEFAULTS = Settings()


def run_name() -> str:
    """What a person reads in the list of runs."""
    given = runtime.flow_run.parameters
    return f"score {given.get('lot') or default_lot(given['folder'])}"


@flow(name="score-lot", flow_run_name=run_name, task_runner=one_at_a_time())
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
    degrees: tuple[int, ...] = DEFAULTS.degrees,
    interval: Interval = DEFAULTS.interval,
    window_sizes: tuple[int, ...] = DEFAULTS.window_sizes,
    device: str = "auto",
    memory: str | None = None,
    block_images: int | None = None,
    store_aggregated: bool = False,
) -> dict[str, Any]:
    """Score the images of one product in a folder against each other.

    Args:
        folder: path or URL of a folder of images, searched with all folders below.
        output: path or URL of the store that keeps features, scores and runs.
        lot: name of these images; the folder's name unless given.
        category: name of the product; the lot's name unless given.
        backbone: a published name, any open_clip ViT, `timm:<model>`, or the built-in `texture`.
        weights: tag or local file; the published choice unless given.
        image_size: side, or height and width, in pixels; the published size unless given.
        layers: transformer blocks, 0-based; the ends of four equal parts unless given.
        quick_gelu: OpenAI CLIP's activation; as the published numbers unless given.
        position_antialias: resize the position embedding with antialiasing.
        precision: of the backbone: `float32`, `float16`, `bfloat16`; `auto` is float16 on a GPU, float32 elsewhere.
        degrees: sides of the LNAMD neighbourhoods, odd.
        interval: fractions of the references, nearest first, that are averaged.
        window_sizes: RsCIN neighbours, the image itself included.
        device: `auto`, `cpu`, `cuda`, `cuda:1` …
        memory: most memory one scoring shard may use, e.g. `8GB`; half the GPU's, or the machine's, unless given.
        block_images: images per extraction task; a multiple of 8.
        store_aggregated: keep the features after LNAMD too, as cached work of their own (layers × degrees the space).

    Returns:
        `run`, the path of the results in the store, and the counts `images` (scored) and `files`.

    Raises:
        ValueError: for an option out of range, by name, before any work.
        NoImagesError: if fewer than two images can be scored.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    job = prepare(**locals())  # every parameter, under its own name
    return score_listed(job, list_images(job.folder, job.store)["lot_key"])
