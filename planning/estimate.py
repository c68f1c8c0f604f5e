"""Estimate a lot's cost: operations, memory and disk from the plan, time from a short trial on this machine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F

from musc.backbones import choose_device
from musc.kernels.window import radius_on
from musc.layers import Layer, middle_layer
from musc.lnamd import pool
from musc.mutual import mutual_scores
from musc.plan.cost import ProjectedCost, lot_cost, pair_count
from musc.plan.partition import Shard, plan_blocks
from musc.plan.pooling import pair_operations
from planning.lot import is_masked, job_shards, pooled_numbers, scored_ranges, seeks_groups
from planning.lot_job import LotJob

TRIAL_IMAGES = 4
TRIAL_SECONDS = 0.5


def project_cost(job: LotJob, image_count: int, earlier_count: int = 0, tiles: int = 1) -> ProjectedCost:
    """The cost of scoring the images of a job, with a number of references from earlier lots.

    Args:
        job: what to score, and how.
        image_count: N; where images are scored as tiles, all tiles of all images.
        earlier_count: references from earlier lots.
        tiles: of each image.

    Raises:
        MemoryError: if not even one query image fits the memory, with the bytes needed and given.
    """
    ranges = scored_ranges(job, image_count, tiles)
    pooled = pooled_numbers(job, image_count, earlier_count, tiles)
    shards = [shard for whole in ranges for shard in job_shards(job, whole, earlier_count, pooled)]
    plan = lot_cost(
        image_count,
        job.backbone.layers,
        embedding_width=job.backbone.embedding_width,
        block_count=len(plan_blocks(image_count, job.allocation.block_images)),
        shards=shards,
        degrees=job.settings.degrees,
        lot_size=max(last - first for first, last in ranges),
        aggregated_copies=len(job.settings.degrees) if job.allocation.store_aggregated else 0,
        thread_count=job.allocation.thread_count,
        reference_count=job.settings.references,
        earlier_count=earlier_count,
        masked=is_masked(job),
        match_radius=job.settings.match_radius,
        pooled=pooled,
    )
    passes = 2 if job.settings.exclude_groups else 1  # the second one only where groups are found
    searched = middle_layer(job.backbone.layers)
    search = search_operations(job, searched, image_count, shards)
    counted = zip(plan.layers, plan.layer_operations, strict=True)
    operations = tuple(passes * count + search * (layer == searched) for layer, count in counted)
    return replace(plan, layer_operations=operations)


def search_operations(job: LotJob, layer: Layer, image_count: int, shards: Sequence[Shard]) -> float:
    """Operations of the search for groups: all pairs of images once more, at one layer and degree, without a window."""
    if not seeks_groups(job, image_count):
        return 0
    query_counts = [shard.stop - shard.start for shard in shards if shard.layer == layer.number]
    pairs = sum(pair_count(count, image_count, image_count) for count in query_counts)
    return pairs * pair_operations(layer, (1,), None, pooled=False)


def scoring_seconds(plan: ProjectedCost, job: LotJob) -> float:
    """How long mutual scoring takes, from a short trial of every kind of layer on the job's device."""
    kinds = {(layer.grid, layer.width): layer for layer in plan.layers}
    rates = {
        kind: scoring_rate(
            layer,
            radius_on(layer.grid, job.settings.match_radius, job.backbone.grid),
            job.allocation.device,
            job.settings.degrees if layer.number in plan.pooled else (),
        )
        for kind, layer in kinds.items()
    }
    counted = zip(plan.layers, plan.layer_operations, strict=True)
    return sum(count / rates[layer.grid, layer.width] for layer, count in counted)


def scoring_rate(
    layer: Layer, match_radius: int | None = None, device: str = "auto", pooled_degrees: tuple[int, ...] = ()
) -> float:
    """Operations per second of mutual scoring on a device, measured on a few random images for about a second.

    Args:
        layer: whose shape the images have.
        match_radius: in patches of the layer's grid.
        device: where they are compared.
        pooled_degrees: those compared by one product; empty is one degree by itself.
    """
    tokens = torch.randn(TRIAL_IMAGES, layer.patch_count, layer.width)
    pooled = bool(pooled_degrees)
    features = (
        pool(tokens, layer.grid, pooled_degrees) if pooled else F.normalize(tokens, dim=-1).to(choose_device(device))
    )

    def trial_run() -> None:
        mutual_scores(features, match_radius=match_radius, grid=layer.grid).cpu()  # which waits for a GPU

    trial_run()
    seconds = [time_call(trial_run)]
    while sum(seconds) < TRIAL_SECONDS:
        seconds.append(time_call(trial_run))
    pairs = pair_count(TRIAL_IMAGES, TRIAL_IMAGES, TRIAL_IMAGES)
    trial = pairs * pair_operations(layer, pooled_degrees or (1,), match_radius, pooled=pooled)
    return trial / min(seconds)  # other programs disturb most of the runs of a busy machine


def time_call(action: Callable[[], None]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def cost_rows(plan: ProjectedCost, job: LotJob) -> list[dict[str, str]]:
    """A projected cost as a table of two columns."""
    allowed = job.allocation.memory_bytes
    texts = {
        "images": f"{plan.image_count:,}",
        "references of each": f"{plan.reference_count:,}",
        "patches per image": shapes_line(plan.layers),
        "extraction tasks": f"{plan.block_count:,}",
        "scoring shards": f"{plan.shard_count:,}",
        "peak memory of a shard": f"{plan.peak_bytes / 1e9:,.2f} GB of {allowed / 1e9:,.2f} GB allowed",
        "stored": f"{plan.stored_bytes / 1e9:,.2f} GB",
        "operations of scoring": f"{plan.operations / 1e12:,.2f} × 10¹²",
    }
    return [{"what": what, "how much": text} for what, text in texts.items()]


def shapes_line(layers: Sequence[Layer]) -> str:
    """Patches and widths of layers, layers alike named once.

    >>> shapes_line([Layer(2, (48, 48), 40), Layer(3, (24, 24), 112)])
    '2,304 of width 40, 576 of width 112'
    """
    return ", ".join(dict.fromkeys(f"{layer.patch_count:,} of width {layer.width:,}" for layer in layers))
