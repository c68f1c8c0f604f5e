"""Estimate a lot's cost: operations, memory and disk; `time_and_memory` says how long it takes here."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import prod

from musc.layers import Grid, Layer, middle_layer
from musc.plan.chunks_and_blocks import plan_blocks
from musc.plan.cost import ProjectedCost, lot_cost, pair_count
from musc.plan.layer_comparison import LayerComparison
from musc.plan.lot_as_tiles import WHOLE
from musc.plan.pooling import pair_operations
from musc.plan.shards import Shard
from planning.lot_job import LotJob
from planning.lot_specs import job_shards, layer_comparisons, references_around, scored_ranges, seeks_groups
from storage.disk_space import readable_bytes


def project_cost(job: LotJob, image_count: int, earlier_count: int = 0, layout: Grid = WHOLE) -> ProjectedCost:
    """The cost of scoring the images of a job, with a number of references from earlier lots.

    Args:
        image_count: N; where images are scored as tiles, all tiles of all images.
        earlier_count: references from earlier lots.
        layout: rows and columns of each image's tiles.

    Raises:
        MemoryError: if not even one query image fits the memory, with the bytes needed and given.
    """
    counts = image_count, earlier_count, layout
    *smaller, largest = job.at_each_size()
    costs = [cost_of_size(one, *counts, searching=False) for one in smaller]
    return combined_cost([*costs, cost_of_size(largest, *counts, searching=True)])


def cost_of_size(job: LotJob, image_count: int, earlier_count: int, layout: Grid, *, searching: bool) -> ProjectedCost:
    """The cost at one image size; arguments and errors are those of `project_cost`.

    Args:
        searching: whether groups are sought at this size.
    """
    ranges = scored_ranges(job, image_count, prod(layout))
    comparisons = layer_comparisons(job, image_count, earlier_count, layout)
    most_around, around = references_around(job, image_count, layout)
    most = earlier_count + most_around
    shards = [shard for lot_range in ranges for shard in job_shards(job, lot_range, comparisons, most)]
    cost = partial(
        lot_cost,
        image_count,
        comparisons,
        embedding_width=job.backbone.embedding_width,
        block_count=len(plan_blocks(image_count, job.allocation.block_images)),
        shards=shards,
        lot_size=max(last - first for first, last in ranges),
        aggregated_copies=len(job.settings.degrees) if job.allocation.store_aggregated else 0,
        thread_count=job.allocation.thread_count,
        reference_count=job.settings.references,
    )
    plan = cost(earlier_count=most)
    if around:  # tiles at the edges have fewer references than memory is planned for
        mean = cost(earlier_count=earlier_count + around)
        plan = replace(plan, layer_operations=mean.layer_operations, layer_reads=mean.layer_reads)
    passes = 2 if job.settings.exclude_groups else 1  # the second one only where groups are found
    searched = middle_layer(job.backbone.layers)
    search = search_operations(job, searched, image_count, shards) if searching else 0
    counts = zip(plan.layers, plan.layer_operations, strict=True)
    operations = tuple(passes * count + search * (layer == searched) for layer, count in counts)
    reads = tuple(passes * count for count in plan.layer_reads)
    return replace(plan, layer_operations=operations, layer_reads=reads, tiles=prod(layout))


def combined_cost(sizes: Sequence[ProjectedCost]) -> ProjectedCost:
    """The cost of a lot at several image sizes, one after the other: the search for groups is made at the largest only.

    Args:
        sizes: the cost at each, smallest first.
    """
    return replace(
        sizes[-1],
        comparisons=tuple(comparison for size in sizes for comparison in size.comparisons),
        block_count=sum(size.block_count for size in sizes),
        shard_count=sum(size.shard_count for size in sizes),
        peak_bytes=max(size.peak_bytes for size in sizes),
        stored_bytes=sum(size.stored_bytes for size in sizes),
        layer_operations=tuple(operations for size in sizes for operations in size.layer_operations),
        layer_reads=tuple(reads for size in sizes for reads in size.layer_reads),
    )


def search_operations(job: LotJob, layer: Layer, image_count: int, shards: Sequence[Shard]) -> float:
    """Operations of the search for groups: all pairs of images once more, at one layer and degree, without a window."""
    if not seeks_groups(job, image_count):
        return 0
    query_counts = [shard.stop - shard.start for shard in shards if shard.layer == layer.number]
    pairs = sum(pair_count(count, image_count, image_count) for count in query_counts)
    return pairs * pair_operations(LayerComparison(layer, (1,)))


def cost_rows(plan: ProjectedCost, job: LotJob) -> list[dict[str, str]]:
    """A projected cost as a table of two columns."""
    allowed = job.allocation.memory_bytes
    unit = "tile" if plan.tiles > 1 else "image"
    as_tiles = f", scored as {plan.image_count:,} tiles" if plan.tiles > 1 else ""
    texts = {
        "images": f"{plan.image_count // plan.tiles:,}{as_tiles}",
        f"references of each{' tile' if plan.tiles > 1 else ''}": f"{plan.reference_count:,}",
        f"patches per {unit}": shapes_line(plan.layers),
        "extraction tasks": f"{plan.block_count:,}",
        "scoring shards": f"{plan.shard_count:,}",
        "peak memory of a shard": f"{readable_bytes(plan.peak_bytes)} of {readable_bytes(allowed)} allowed",
        "stored": readable_bytes(plan.stored_bytes),
        "operations of scoring": f"{plan.operations / 1e12:,.2f} × 10¹²",
    }
    return [{"what": name, "how much": text} for name, text in texts.items()]


def shapes_line(layers: Sequence[Layer]) -> str:
    """Patches and widths of layers, layers alike named once.

    >>> shapes_line([Layer(2, (48, 48), 40), Layer(3, (24, 24), 112)])
    '2,304 of width 40, 576 of width 112'
    """
    return ", ".join(dict.fromkeys(f"{layer.patch_count:,} of width {layer.width:,}" for layer in layers))
