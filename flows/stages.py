"""The stages of a lot, in order; every flow that scores images goes through here."""

from typing import Any

from prefect.artifacts import create_table_artifact
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from storage.lots import load_usable
from storage.store import Store
from tasks.aggregate import aggregate_block
from tasks.calibrate import forecast_lot, forecast_rows
from tasks.extract import extract_block
from tasks.groups import group_lot
from tasks.orders import aggregate_orders, extract_orders, group_order, run_order, score_orders
from tasks.prepare import LotJob
from tasks.rescore import rescore_lot
from tasks.score import score_shard
from tasks.stage import run_stage


def score_listed(job: LotJob, lot_key: str) -> dict[str, Any]:
    """Score a lot whose images are listed in the store: extract, aggregate if asked to, score, group, rescore.

    Returns:
        `run`, the path of the results in the store, and the counts `images` (scored) and `files`.

    Raises:
        MemoryError: before any work, if not even one image fits the memory.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    images = load_usable(Store(job.store), lot_key)
    create_table_artifact(
        table=forecast_rows(forecast_lot(job, len(images)), job), key="plan", description=f"Plan of {job.lot}"
    )
    extracting = extract_orders(job, lot_key, images)
    extracted = run_stage(extract_block, extracting)
    aggregating = aggregate_orders(job, extracting) if job.store_aggregated else []
    run_stage(aggregate_block, aggregating)
    image_count = sum(block["usable"] for block in extracted)
    scoring = score_orders(job, extracting, aggregating, image_count)
    run_stage(score_shard, scoring)
    if job.subsets > 1:  # images of different subsets are never compared
        return run_stage(rescore_lot, [run_order(job, extracting, scoring)])[0]
    grouping = group_order(job, scoring)
    (grouped,) = run_stage(group_lot, [grouping])
    if job.rescore_groups and grouped["groups"]:
        scoring = score_orders(job, extracting, aggregating, image_count, grouping)
        run_stage(score_shard, scoring)
    return run_stage(rescore_lot, [run_order(job, extracting, scoring, grouping)])[0]


def one_at_a_time() -> TaskRunner[Any]:
    """Threads, as many as there are devices: torch spreads one task over the whole processor by itself."""
    return ThreadPoolTaskRunner(max_workers=1)
