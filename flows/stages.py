"""The stages of a lot, in order; every flow that scores images goes through here."""

from typing import Any

from prefect.task_runners import ThreadPoolTaskRunner

from flows.engine import opened
from storage.claims import claiming
from storage.lots import load_usable, lot_path
from storage.store import Store
from tasks.aggregate import aggregate_block
from tasks.calibrate import forecast_lot
from tasks.engine import Engine
from tasks.extract import extract_block, extracted_contents
from tasks.groups import group_lot
from tasks.models import load_ahead
from tasks.planning import aggregate_orders, claim_name, extract_orders, group_orders, run_order, score_orders
from tasks.prepare import LotJob
from tasks.publish import publish_plan, publish_run, tag_run
from tasks.references import earlier_references
from tasks.rescore import rescore_lot
from tasks.score import score_shard
from tasks.stage import paths_of, run_stage


def score_listed(job: LotJob, lot_key: str, engine: Engine | None = None, *, published: bool = True) -> dict[str, Any]:
    """Score a lot whose images are listed in the store: extract, aggregate if asked to, score, group, rescore.

    Args:
        job: what to score, and how.
        lot_key: of the listing.
        engine: where the tasks run, if that is a cluster which the caller shares among lots; else the job says it.
        published: whether the UI and automations are told of the result here; a repetition is nobody's news.

    Returns:
        `run`, the path of the results in the store, and the counts `images` (scored) and `files`.

    Raises:
        MemoryError: before any work, if not even one image fits the memory.
        WeightsUnavailableError: before any work, if the backbone's weights are neither here nor downloadable.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    tag_run(job)
    images = load_usable(Store(job.store), lot_key)
    earlier = earlier_references(job, images)
    plan = forecast_lot(job, len(images), sum(len(rows.rows) for rows in earlier))
    publish_plan(job, plan)
    extracting = extract_orders(job, lot_key, images)
    with claiming(Store(job.store), claim_name(job, lot_key)) as claim, opened(engine or job.engine) as runner:
        claim.add([lot_path(lot_key), *paths_of(extracting), *(rows.block for rows in earlier)])
        here = isinstance(runner, ThreadPoolTaskRunner)  # workers load their own
        run_stage(extract_block, extracting, runner, ahead=load_ahead if here else None)
        aggregating = aggregate_orders(job, extracting) if job.store_aggregated else []
        claim.add(paths_of(aggregating))
        run_stage(aggregate_block, aggregating, runner)
        contents = extracted_contents(extracting, images)
        scoring = score_orders(job, extracting, aggregating, contents, earlier)
        claim.add(paths_of(scoring))
        run_stage(score_shard, scoring, runner)
        grouping = group_orders(job, scoring)
        claim.add(paths_of(grouping))
        grouped = run_stage(group_lot, grouping, runner)
        if job.rescore_groups and any(found["groups"] for found in grouped):
            scoring = score_orders(job, extracting, aggregating, contents, earlier, groups=grouping[0])
            claim.add(paths_of(scoring))
            run_stage(score_shard, scoring, runner)
        done = run_stage(rescore_lot, [run_order(job, extracting, scoring, *grouping)], runner)[0]
    if published:
        publish_run(job, done)
    return done
