"""The stages of a lot, in order; every flow that scores images goes through here."""

from typing import Any

from prefect.artifacts import create_table_artifact
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from storage.lots import load_usable
from storage.store import Store
from tasks.aggregate import aggregate_block
from tasks.calibrate import forecast_lot, forecast_rows
from tasks.extract import extract_block
from tasks.orders import aggregate_orders, extract_orders, run_order, score_orders
from tasks.prepare import LotJob
from tasks.publish import publish_run, tag_run
from tasks.rescore import rescore_lot
from tasks.score import score_shard
from tasks.stage import run_stage


def score_listed(job: LotJob, lot_key: str) -> dict[str, Any]:
    """Score a lot whose images are listed in the store: extract, aggregate if asked to, score, rescore.

    Returns:
        `run`, the path of the results in the store, and the counts `images` (scored) and `files`.

    Raises:
        MemoryError: before any work, if not even one image fits the memory.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    tag_run(job)
    images = load_usable(Store(job.store), lot_key)
    create_table_artifact(
        table=forecast_rows(forecast_lot(job, len(images)), job), key="plan", description=f"Plan of {job.lot}"
    )
    extracting = extract_orders(job, lot_key, images)
    extracted = run_stage(extract_block, extracting)
    aggregating = aggregate_orders(job, extracting) if job.store_aggregated else []
    run_stage(aggregate_block, aggregating)
    scoring = score_orders(job, extracting, aggregating, sum(block["usable"] for block in extracted))
    run_stage(score_shard, scoring)
    done = run_stage(rescore_lot, [run_order(job, extracting, scoring)])[0]
    publish_run(job, done)
    return done


def one_at_a_time() -> TaskRunner[Any]:
    """Threads, as many as there are devices: torch spreads one task over the whole processor by itself."""
    return ThreadPoolTaskRunner(max_workers=1)
