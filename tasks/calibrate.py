"""How fast this machine scores, from a short trial, and what that means for a planned lot."""

import time

import torch
import torch.nn.functional as F

from musc.forecast import Forecast, forecast, shard_operations
from musc.mutual import mutual_scores
from musc.plan import plan_blocks, plan_subsets
from tasks.orders import job_shards
from tasks.prepare import LotJob

TRIAL_IMAGES = 4
TRIAL_SECONDS = 0.5


def forecast_lot(job: LotJob, image_count: int) -> Forecast:
    """The cost of scoring the images of a job.

    Raises:
        MemoryError: if not even one query image fits the memory, with the bytes needed and given.
    """
    ranges = plan_subsets(image_count, job.subsets)
    return forecast(
        image_count,
        job.backbone.patch_count,
        job.backbone.width,
        embedding_width=job.backbone.embedding_width,
        layer_count=len(job.backbone.layers),
        block_count=len(plan_blocks(image_count, job.block_images)),
        shards=[shard for whole in ranges for shard in job_shards(job, whole)],
        lot_size=max(last - first for first, last in ranges),
        aggregated_copies=len(job.settings.degrees) if job.store_aggregated else 0,
        thread_count=job.thread_count,
    )


def scoring_rate(patch_count: int, width: int) -> float:
    """Operations per second of mutual scoring here, measured on a few random images for about a second."""
    features = F.normalize(torch.randn(TRIAL_IMAGES, patch_count, width), dim=-1)
    mutual_scores(features)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < TRIAL_SECONDS:
        mutual_scores(features)
        count += 1
    trial = shard_operations(TRIAL_IMAGES, TRIAL_IMAGES, patch_count, width)
    return count * trial / (time.perf_counter() - started)


def forecast_rows(plan: Forecast, job: LotJob) -> list[dict[str, str]]:
    """A forecast as a table of two columns."""
    texts = {
        "images": f"{plan.image_count:,}",
        "patches per image": f"{plan.patch_count:,} of width {plan.width:,}",
        "extraction tasks": f"{plan.block_count:,}",
        "scoring shards": f"{plan.shard_count:,}",
        "peak memory of a shard": f"{plan.peak_bytes / 1e9:,.2f} GB of {job.memory_bytes / 1e9:,.2f} GB allowed",
        "stored": f"{plan.stored_bytes / 1e9:,.2f} GB",
        "operations of scoring": f"{plan.operations / 1e12:,.2f} × 10¹²",
    }
    return [{"what": what, "how much": text} for what, text in texts.items()]
