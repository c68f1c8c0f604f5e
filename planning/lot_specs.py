"""A lot's job divided into task specs, one for each task run, and their keys."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from math import prod

from musc.backbones.devices import device_type
from musc.layers import Grid, middle_degree, middle_layer
from musc.plan.chunks_and_blocks import plan_blocks, plan_subsets
from musc.plan.cost import pair_count
from musc.plan.layer_comparison import LayerComparison
from musc.plan.lot_as_tiles import WHOLE, lot_ranges, parts_of, positions_around
from musc.plan.pooling import compare_layers
from musc.plan.sample import draw_sample, sample_size
from musc.plan.shards import Shard, plan_shards
from planning.lot_job import KnownGood, LotJob
from planning.task_specs import (
    AggregateSpec,
    BlockRows,
    ExtractSpec,
    GroupSpec,
    KnownGoodSpecs,
    RegionRows,
    RunSpec,
    ScoreSpec,
)
from storage.artefacts import digest
from storage.errors import NoImagesError
from storage.images.least_images import LEAST_IMAGES
from storage.images.lots import ListedImage


def extract_specs(job: LotJob, lot_key: str, images: Sequence[ListedImage]) -> list[ExtractSpec]:
    """One spec per block of a lot's usable images, or of their tiles."""
    specs = []
    parts = parts_of(job.settings, images)
    for start, stop in plan_blocks(len(parts), job.allocation.block_images):
        contents = [[image.sha256, asdict(tile)] if tile else image.sha256 for image, tile in parts[start:stop]]
        source = digest({"images": contents})
        specs.append(
            ExtractSpec(
                source,
                job.category,
                job.store,
                job.folder,
                lot_key,
                start,
                stop,
                backbone=job.backbone,
                device=job.allocation.device,
                settings=job.settings if job.settings.tile else None,
            )
        )
    return specs


def aggregate_specs(job: LotJob, extracted: Sequence[ExtractSpec]) -> list[AggregateSpec]:
    """One spec per block, layer and degree."""
    return [
        AggregateSpec(
            source="",
            category=job.category,
            store=job.store,
            block=block.path,
            grid=layer.grid,
            layer=layer.number,
            degree=degree,
            position=position,
            device=job.allocation.device,
        )
        for position, block in enumerate(extracted)
        for layer in job.backbone.layers
        for degree in job.settings.degrees
    ]


def score_specs(
    job: LotJob,
    extracted: Sequence[ExtractSpec],
    aggregated: Sequence[AggregateSpec],
    contents: Sequence[str],
    earlier: tuple[BlockRows, ...] = (),
    groups: GroupSpec | None = None,
    *,
    layout: Grid = WHOLE,
    region: RegionRows | None = None,
) -> list[ScoreSpec]:
    """One spec per shard of mutual scoring, at all degrees.

    Shards that compare degree by degree read the aggregated blocks where there are any; their scores are the same as
    without, and so are their keys.

    Args:
        aggregated: the same after LNAMD, or nothing.
        contents: SHA-256 of every image with usable features, in the order of the blocks; of tiles their images', in
            the order of scoring.
        earlier: references from earlier lots.
        groups: of images whose shared patches are left out of the references; None leaves out nothing.
        layout: rows and columns of each image's tiles.
        region: of interest; None is all of every image.

    Raises:
        NoImagesError: if no image has usable features, or a single one that has no reference.
        MemoryError: if not even one query image fits the memory.
    """
    image_count, earlier_count, tiles = len(contents), sum(len(rows.rows) for rows in earlier), prod(layout)
    if not image_count or image_count // tiles + earlier_count < LEAST_IMAGES:
        raise NoImagesError(
            f"a lot must have at least {LEAST_IMAGES} images with usable features, got {image_count // tiles} in "
            f"{job.folder}; see the reasons in the lot's listing, and check the weights if every image is not_finite"
        )
    ranges = scored_ranges(job, image_count, tiles)
    samples = {(first, last): choose_references(job, contents, first, last, layout) for first, last in ranges}
    comparisons = layer_comparisons(job, image_count, earlier_count, layout)
    further, _ = references_around(job, image_count, layout)
    of_layer = {comparison.layer.number: comparison for comparison in comparisons}
    blocks = tuple(spec.path for spec in extracted)
    specs = []
    for shard, lot_range in [
        (shard, whole) for whole in ranges for shard in job_shards(job, whole, comparisons, earlier_count + further)
    ]:
        comparison = of_layer[shard.layer]
        degrees = comparison.degrees
        separate = [] if comparison.pooled else aggregated  # what is pooled is made of features before LNAMD
        block_of = {(spec.degree, spec.position): spec.path for spec in separate if spec.layer == shard.layer}
        stored = [
            tuple(block_of[degree, position] for position in range(len(blocks))) for degree in degrees if block_of
        ]
        specs.append(
            ScoreSpec(
                "",
                job.category,
                job.store,
                blocks,
                comparison=comparison,
                lot_range=lot_range,
                shard=shard,
                interval=job.settings.interval,
                aggregated=tuple(stored),
                groups=groups.path if groups else None,
                sample=samples[lot_range],
                earlier=earlier,
                tiles=tiles,
                region=region,
            )
        )
    return specs


def good_job(job: LotJob, good: KnownGood) -> LotJob:
    """The job that scores known good images against each other, so that each leaves itself out."""
    settings = job.settings.changed(references=None, references_from=(), exclude_groups=False)
    allocation = replace(job.allocation, store_aggregated=False)
    return replace(
        job, folder=good.folder, settings=settings, allocation=allocation, subsets=1, judged_good=(), good=None
    )


def group_specs(job: LotJob, scored: Sequence[ScoreSpec]) -> list[GroupSpec]:
    """The spec that finds groups, from the middle layer and the middle degree."""
    if not seeks_groups(job, scored[-1].lot_range[1]):
        return []
    layer = middle_layer(job.backbone.layers).number
    degree = middle_degree(job.settings.degrees)
    layer_shards = tuple(spec.on(job.allocation.device) for spec in scored if spec.shard.layer == layer)
    return [GroupSpec("", job.category, job.store, layer_shards, degree)]


def seeks_groups(job: LotJob, image_count: int) -> bool:
    """Whether all images are compared with each other: not in subsets, and not against a sample."""
    all_are_references = sample_size(image_count, job.settings.references) == image_count
    return image_count > 1 and job.subsets == 1 and all_are_references and job.settings.tile is None


def scored_ranges(job: LotJob, image_count: int, tiles: int = 1) -> list[tuple[int, int]]:
    """The images, or tiles, [first, last) that are scored against each other: the lot, its subsets, or positions."""
    return lot_ranges(job.settings, image_count, tiles) if tiles > 1 else plan_subsets(image_count, job.subsets)


def choose_references(
    job: LotJob, contents: Sequence[str], first: int, last: int, layout: Grid = WHOLE
) -> tuple[int, ...] | None:
    """Positions of the images that serve as references of the images [first, last); None is all of these.

    Of tiles [first, last) is one position: the references are then those of the next positions too, where these are
    asked for.
    """
    if layout != WHOLE and job.settings.tile_references == "around":
        each = last - first
        around = positions_around(layout, first // each)
        return tuple(position * each + image for position in around for image in range(each))
    sample = draw_sample(contents[first:last], job.settings.references, job.settings.seed)
    return None if sample is None else tuple(first + position for position in sample)


def references_around(job: LotJob, image_count: int, layout: Grid) -> tuple[int, float]:
    """References of a tile beside those of its own position: of the tile that has most, and in the mean.

    Args:
        job: says whether there are any.
        image_count: all tiles of all images.
        layout: rows and columns of each image's tiles.
    """
    tiles = prod(layout)
    if tiles == 1 or job.settings.tile_references != "around":
        return 0, 0.0
    counts = [(len(positions_around(layout, position)) - 1) * (image_count // tiles) for position in range(tiles)]
    return max(counts), sum(counts) / tiles


def layer_comparisons(
    job: LotJob, image_count: int, earlier_count: int = 0, layout: Grid = WHOLE
) -> tuple[LayerComparison, ...]:
    """How each layer of a job is compared; whether by one product follows from counted operations, on a CPU only."""
    name = job.allocation.device
    kind = device_type(name) if name == "auto" else name.partition(":")[0]
    sizes = [last - first for first, last in scored_ranges(job, image_count, prod(layout))]
    further = earlier_count + references_around(job, image_count, layout)[1]
    pairs = sum(pair_count(size, size, sample_size(size, job.settings.references), further) for size in sizes)
    return compare_layers(
        job.backbone.layers,
        job.settings.degrees,
        pair_count=pairs,
        match_radius=job.settings.match_radius,
        device=name,
        poolable=kind == "cpu",
        excluding=job.settings.exclude_groups or job.region is not None,
    )


def job_shards(
    job: LotJob, lot_range: tuple[int, int], comparisons: Sequence[LayerComparison], earlier_count: int = 0
) -> list[Shard]:
    """The shards that score the images [first, last) against each other and a number of images of earlier lots."""
    first, last = lot_range
    shards = plan_shards(
        last - first,
        comparisons,
        memory_bytes=job.allocation.memory_bytes,
        thread_count=job.allocation.thread_count,
        reference_count=sample_size(last - first, job.settings.references) + earlier_count,
    )
    return [replace(shard, start=first + shard.start, stop=first + shard.stop) for shard in shards]


def run_spec(
    job: LotJob,
    lot_key: str,
    extracted: Sequence[ExtractSpec] = (),
    scored: Sequence[ScoreSpec] = (),
    groups: GroupSpec | None = None,
    *,
    good: KnownGoodSpecs | None = None,
    nights: tuple[str, ...] = (),
    smaller: Sequence[Sequence[ExtractSpec]] = (),
) -> RunSpec:
    """The spec that ends a run.

    Its key is known before any work: without `extracted` and `scored` it finds a complete run and can make none.

    Args:
        extracted: blocks at the only image size, or the largest.
        scored: shards of every image size, those of the largest last.
        smaller: blocks at each smaller size, smallest first.
    """
    source = digest({"stages": [stage.version for stage in (ExtractSpec, ScoreSpec, GroupSpec)]})
    blocks = tuple(spec.path for spec in extracted)
    shards = tuple((spec.shard, spec.path) for spec in scored)
    earlier = scored[-1].earlier if scored else ()
    grouped = groups.path if groups else None
    smaller_blocks = tuple(tuple(spec.path for spec in specs) for specs in smaller)
    made = blocks, shards, grouped, earlier, good, nights, smaller_blocks
    return RunSpec(source, job.category, job.store, job, lot_key, *made)


def lease_name(job: LotJob, lot_key: str) -> str:
    """What the lease of a job's run is called: the same for every attempt at it."""
    return digest({"lease": job.lot, "category": job.category, "images": lot_key, "job": job.score_identity})
