"""How long a planned lot takes on this machine and what memory the process takes, from trials of about a second.

Scoring is matrix products, at the rate that `trial` measures, and what is done once for every image that is
read: LNAMD, and ranking its references. Extraction is counted in operations where those of the network are known, so
that neither torch nor a network is loaded; any other network is tried on a photograph of the lot.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from musc.backbone_families import TEXTURE_NAME
from musc.kernels.lnamd_numpy import aggregate_arrays
from musc.layers import BackboneSpec, Layer
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from musc.plan.cost import ProjectedCost
from musc.plan.layer_comparison import LayerComparison
from musc.plan.pooling import SETUP_OPERATIONS
from planning.estimates.timed_trials import scoring_rate, scoring_seconds
from planning.lot_job import LotJob
from storage.images.decode import decode
from storage.images.decoded_at_once import BYTES_PER_PIXEL, MOST_BYTES
from storage.images.lots import ListedImage, read_image
from storage.store import Store

SHARD_SECONDS = 0.2
"""To open a shard, read its features and write its scores, whatever it computes."""
MOST_RANKED = 64
"""References whose ranking is tried; more take as many times longer."""
PRODUCTS = Layer(0, (32, 32), 512)
"""A shape at which products run at full rate."""
LITE_OPERATIONS = {
    "efficientnet-lite0": (0.81e9, 224),
    "efficientnet-lite1": (1.26e9, 240),
    "efficientnet-lite2": (1.8e9, 260),
}
"""Operations for an image, and its side in pixels (github.com/tensorflow/tpu, efficientnet/lite)."""
CONVOLUTION_RATE = 0.1
"""Operations of convolutions, many of them in one channel, in the time of one of a matrix product; measured once."""
TEXTURE_OPERATIONS_PER_PIXEL = 1e4
LIBRARY_BYTES = 800_000_000
"""Of a process that scores: Python, torch and the other libraries; measured once."""
BYTES_PER_NETWORK_PIXEL = 300
"""Of a network that extracts features, for each pixel of a chunk of images; measured once."""
LOADED_BYTES = 3e8
"""Bytes of weights that are read and put in place in a second."""


@dataclass(frozen=True)
class Extraction:
    """What extraction takes."""

    start: float
    """Seconds to load the network."""
    photograph: float
    """Seconds to read and decode one."""
    network: float
    """Seconds for one image, or tile."""
    weight_bytes: int = 0


@dataclass(frozen=True)
class Forecast:
    """What a lot takes here, at the machine's present load."""

    scoring_seconds: float
    extraction_seconds: float | None
    """None where the network's weights are not at hand."""
    process_bytes: int
    """Most memory of the process, the network and libraries included."""


def forecast(plan: ProjectedCost, job: LotJob, images: Sequence[ListedImage]) -> Forecast:
    """Try, and count, what a lot consists of.

    Args:
        images: usable ones of the lot.
    """
    scoring = scoring_seconds(plan) + seconds_beside_products(plan, job)
    tried = [extraction_of_one(one, images[0]) for one in job.at_each_size()]
    extractions = [one for one in tried if one is not None]
    height, width = job.backbone.image_size
    decoded = min(MOST_BYTES, sum(image.width * image.height * BYTES_PER_PIXEL for image in images[:16]))
    extracting = decoded + CHUNK_IMAGES * height * width * BYTES_PER_NETWORK_PIXEL
    weight_bytes = max((one.weight_bytes for one in extractions), default=0)
    process_bytes = LIBRARY_BYTES + max(extracting, plan.peak_bytes) + weight_bytes
    seconds = [one.start + len(images) * (one.photograph + plan.tiles * one.network) for one in extractions]
    return Forecast(scoring, sum(seconds) if len(extractions) == len(tried) else None, process_bytes)


def seconds_beside_products(plan: ProjectedCost, job: LotJob) -> float:
    """What scoring takes besides products: for each image that is read, for each shard, and to start numba."""
    degrees, references = job.settings.degrees, plan.reference_count
    seconds_of = {(layer.grid, layer.width): image_seconds(layer, degrees, references) for layer in plan.layers}
    reading = sum(
        count * seconds_of[layer.grid, layer.width] for layer, count in zip(plan.layers, plan.layer_reads, strict=True)
    )
    starting = SETUP_OPERATIONS / product_rate(job) if any(item.pooled for item in plan.comparisons) else 0.0
    return reading + SHARD_SECONDS * plan.shard_count + starting


def product_rate(job: LotJob) -> float:
    """Operations of a matrix product per second on the job's device."""
    return scoring_rate(LayerComparison(PRODUCTS, (1,), device=job.allocation.device))


def image_seconds(layer: Layer, degrees: Sequence[int], references: int) -> float:
    """Seconds for each image whose features are read: LNAMD at every degree, and ranking its references.

    Args:
        references: of each image.
    """
    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((2, layer.patch_count, layer.width), dtype=np.float32)
    ranked = min(references, MOST_RANKED) + 1
    similarities = rng.random((ranked, layer.patch_count), dtype=np.float32)
    lnamd = quickest(lambda: aggregate_arrays(tokens, layer.grid, 1)) / len(tokens)
    ranking = quickest(lambda: np.sort(similarities, axis=0)) * (references + 1) / ranked
    return len(degrees) * (lnamd + ranking)


def extraction_of_one(job: LotJob, image: ListedImage) -> Extraction | None:
    """What one photograph of the lot takes, by counting or by trying; None without the network's weights."""
    began = time.perf_counter()
    photograph = decode(read_image(Store(job.folder), image))
    decoding = time.perf_counter() - began
    operations, weight_bytes = network_cost(job.backbone)
    if operations:
        seconds = operations / product_rate(job)
        return Extraction(weight_bytes / LOADED_BYTES, decoding, seconds, weight_bytes)
    from musc import backbones  # loads torch

    began = time.perf_counter()
    try:
        network = backbones.build(job.backbone, job.allocation.device)
    except backbones.WeightsUnavailableError:
        return None
    loading = time.perf_counter() - began
    return Extraction(loading, decoding, quickest(lambda: network.extract([photograph] * 2)) / 2)


def network_cost(backbone: BackboneSpec) -> tuple[float, int]:
    """Operations for an image, in those of a matrix product, and bytes of the weights; (0, 0) for what is not known.

    A block of a vision transformer multiplies each token with 12 C² weights, and each pair of tokens twice over C
    channels.
    """
    pixels, layers = backbone.image_size[0] * backbone.image_size[1], backbone.layers
    if backbone.name == TEXTURE_NAME:
        return TEXTURE_OPERATIONS_PER_PIXEL * pixels, 0
    if backbone.name in LITE_OPERATIONS:
        operations, side = LITE_OPERATIONS[backbone.name]
        return operations * pixels / side**2 / CONVOLUTION_RATE, 20_000_000
    depth, width, tokens = max(layer.number for layer in layers) + 1, layers[0].width, layers[0].patch_count + 1
    if len({(layer.grid, layer.width) for layer in layers}) > 1 or depth < 6:
        return 0.0, 0
    weights = 12 * depth * width**2
    return 2.0 * weights * tokens + 4.0 * depth * tokens**2 * width, 4 * weights


def quickest(action: Callable[[], object]) -> float:
    """Seconds of the quicker of two calls, after one that warms up; other programs disturb many on a busy machine."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])
