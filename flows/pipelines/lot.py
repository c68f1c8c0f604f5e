"""The pipeline: the stages of a lot in order, on whatever runner. Nothing here knows Prefect."""

from collections.abc import Mapping
from typing import Any

from flows.pipelines.report import report_run
from storage.images.lots import load_usable, lot_path
from storage.leases import leasing
from storage.store import Store
from tasks.aggregate import aggregate_block
from tasks.extract import extract_block, extracted_contents
from tasks.groups import group_lot
from tasks.ingest import list_images
from tasks.planning.estimate import project_cost
from tasks.planning.job import LotJob, prepare
from tasks.planning.lot import aggregate_specs, extract_specs, group_specs, lease_name, run_spec, score_specs
from tasks.planning.references import earlier_references
from tasks.planning.resources import Engine
from tasks.rescore import rescore_lot
from tasks.runtime.models import load_ahead
from tasks.runtime.runner import Runner
from tasks.runtime.stage import paths_of, run_stage
from tasks.score import score_shard


def score_folder(parameters: Mapping[str, Any], runner: Runner) -> dict[str, Any]:
    """List a folder, score its images and make the page: all that `flows.score_lot` and `musc score` do.

    Args:
        parameters: of `flows.score_lot`, by name.
        runner: where the stages run.

    Returns:
        As `flows.score_lot`.
    """
    job = prepare(**parameters)
    listing = runner.call("list", job.folder, list_images, job.folder, job.store, job.min_images)
    run = score_listed(job, listing["lot_key"], runner, published=False)
    done = {**report_run(job, run, runner, parameters.get("maps")), "unopened": listing["unopened"]}
    runner.monitor.scored(job, done)
    return done


def score_listed(
    job: LotJob, lot_key: str, where: Runner, engine: Engine | None = None, *, published: bool = True
) -> dict[str, Any]:
    """Score a lot whose images are listed in the store: extract, aggregate if asked to, score, group, rescore.

    Args:
        job: what to score, and how.
        lot_key: of the listing.
        where: opens the runner of the engine.
        engine: where the tasks run, if that is a cluster which the caller shares among lots; else the job says it.
        published: whether the UI and automations are told of the result here; a repetition is nobody's news.

    Returns:
        `run`, the path of the results in the store, and the counts `images` (scored) and `files`.

    Raises:
        MemoryError: before any work, if not even one image fits the memory.
        WeightsUnavailableError: before any work, if the backbone's weights are neither here nor downloadable.
        StageFailedError: if tasks failed; everything finished is kept.
    """
    where.monitor.begin_lot(job)
    images = load_usable(Store(job.store), lot_key)
    earlier = earlier_references(job, images)
    plan = project_cost(job, len(images), sum(len(rows.rows) for rows in earlier))
    where.monitor.plan(job, plan)
    extracting = extract_specs(job, lot_key, images)
    with leasing(Store(job.store), lease_name(job, lot_key)) as lease, where.opened(engine or job.engine) as runner:
        lease.add([lot_path(lot_key), *paths_of(extracting), *(rows.block for rows in earlier)])
        ahead = load_ahead if runner.loads_models_here else None
        run_stage("extract", extract_block, extracting, runner, ahead)
        aggregating = aggregate_specs(job, extracting) if job.store_aggregated else []
        lease.add(paths_of(aggregating))
        run_stage("aggregate", aggregate_block, aggregating, runner)
        contents = extracted_contents(extracting, images)
        scoring = score_specs(job, extracting, aggregating, contents, earlier)
        lease.add(paths_of(scoring))
        run_stage("score", score_shard, scoring, runner)
        grouping = group_specs(job, scoring)
        lease.add(paths_of(grouping))
        grouped = run_stage("groups", group_lot, grouping, runner)
        if job.exclude_groups and any(found["groups"] for found in grouped):
            scoring = score_specs(job, extracting, aggregating, contents, earlier, groups=grouping[0])
            lease.add(paths_of(scoring))
            run_stage("score", score_shard, scoring, runner)
        done = run_stage("rescore", rescore_lot, [run_spec(job, extracting, scoring, *grouping)], runner)[0]
    if published:
        where.monitor.scored(job, done)
    return done
