"""Groups: find images of a lot that share the same flaw, from one layer and degree of its features."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import torch

from musc.decisions.groups import Groups, SharedPatch, block_similarities, find_groups, shared_patches
from planning.task_results import Grouped
from planning.task_specs import GroupSpec, ScoreSpec
from storage.artefacts import is_complete
from storage.results.groups import read_groups, write_groups
from storage.store import Store
from tasks.runtime.out_of_memory import halve_on_out_of_memory
from tasks.score import feature_reader, load_others, load_queries, lot_features, outside_patches

log = logging.getLogger(__name__)


def group_lot(spec: GroupSpec) -> Grouped:
    """Make sure the groups of a lot are stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        groups = lot_groups(spec)
        write_groups(store, spec.path, groups.of_image, groups.patches.reshape(-1, *spec.parts[0].comparison.grid))
    of_image, _ = read_groups(store, spec.path)
    return Grouped(path=spec.path, groups=int(of_image.max(initial=0)))


def lot_groups(spec: GroupSpec) -> Groups:
    """Compare every patch with all images, a query block at a time, and group the images by the patches they share."""
    strongest: list[float] = []
    shared: list[SharedPatch] = []
    for part in spec.parts:
        for of_images, patches in fitting_patches(part, spec.degree):
            strongest += of_images
            shared += patches
    log.debug("%d patches are shared by a few images of the lot", len(shared))
    return find_groups(strongest, shared, spec.parts[0].comparison.grid)


Described = tuple[list[float], list[SharedPatch]]
"""The strength of each query image's strongest step, and all their shared patches."""


def fitting_patches(part: ScoreSpec, degree: int) -> list[Described]:
    """The shared patches of a shard's images: on CUDA out of memory in smaller query blocks, finally on the CPU."""

    def on_device(start: int, stop: int) -> Described:
        return find_shared_patches(replace(part, shard=replace(part.shard, start=start, stop=stop)), degree)

    def on_cpu(start: int, stop: int) -> Described:
        return find_shared_patches(part.on("cpu"), degree)

    return halve_on_out_of_memory(on_cpu, on_device, part.shard.start, part.shard.stop)


Vectors = Iterator[tuple[int, torch.Tensor]]
"""What is read at one degree."""


def find_shared_patches(part: ScoreSpec, degree: int) -> Described:
    """The shared patches of a shard's images, all at once."""
    lot, start, stop = range(*part.lot_range), part.shard.start, part.shard.stop
    reader, features = feature_reader(part, (degree,)), lot_features(part, (degree,))
    queries = load_queries(part, reader, features, range(start, stop))
    references = load_others(part, reader, features, lot, start, stop)
    outside = outside_patches(part, lot)
    similarities = block_similarities(
        cast("torch.Tensor", queries), start, cast(Vectors, references), len(lot), outside
    )
    of_images = [shared_patches(of_query, start + row) for row, of_query in enumerate(similarities)]
    return [strongest for strongest, _ in of_images], [patch for _, patches in of_images for patch in patches]
