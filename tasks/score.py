"""Score: mutual scoring of one shard, LNAMD applied while features are loaded."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain
from typing import Any

import torch
import torch.nn.functional as F

from musc.backbones import choose_device
from musc.lnamd import aggregate
from musc.maps import any_patch
from musc.mutual import block_scores
from musc.plan.partition import CHUNK_IMAGES
from storage.artefacts import is_complete
from storage.results.feature_rows import FeatureRows
from storage.results.features import LotFeatures, Place
from storage.results.groups import read_groups
from storage.results.patch_scores import write_shard
from storage.store import Store
from tasks.planning.specs import ScoreSpec
from tasks.runtime.out_of_memory import halve_on_out_of_memory
from tasks.runtime.prefetch import read_ahead


def score_shard(spec: ScoreSpec) -> dict[str, Any]:
    """Make sure the patch scores of one shard are stored.

    Returns:
        `key` of the shard.
    """
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        scores = scores_within_memory(spec, LotFeatures(store, spec.blocks))
        cells = scores.view(-1, *spec.grid).cpu().numpy()
        write_shard(store, spec.path, cells, {**asdict(spec.shard), "interval": list(spec.interval)})
    return {"key": spec.key}


def scores_within_memory(spec: ScoreSpec, features: LotFeatures) -> torch.Tensor:
    """Patch scores of a shard, float32 (n, P): in query blocks as large as memory holds, at last on the processor."""

    def on_device(start: int, stop: int) -> torch.Tensor:
        return shard_scores(replace(spec, shard=replace(spec.shard, start=start, stop=stop)), features).cpu()

    def on_cpu(start: int, stop: int) -> torch.Tensor:
        return shard_scores(replace(spec, device="cpu"), features)

    return torch.cat(halve_on_out_of_memory(on_cpu, on_device, spec.shard.start, spec.shard.stop))


def shard_scores(spec: ScoreSpec, features: LotFeatures) -> torch.Tensor:
    """Patch scores of a shard's query images: float32 (n, P).

    References are rows of stored blocks, whether they are the lot, a subset or a sample of it, or images of earlier
    lots. Queries that are references themselves come first, as `block_scores` wants them, and go back to their places.
    """
    start, stop = spec.shard.start, spec.shard.stop
    chosen = sorted(spec.sample) if spec.sample else list(range(*spec.lot_range))
    first, last = bisect_left(chosen, start), bisect_left(chosen, stop)
    inside = chosen[first:last]
    queried = inside + sorted(set(range(start, stop)) - set(inside))
    queries = load_queries(spec, features, queried)
    earlier = [(rows.block, row) for rows in spec.earlier for row in rows.rows]
    references = chain(
        load_others(spec, features, chosen, first, last),
        loaded_chunks(replace(spec, aggregated=False), features.store, earlier, len(chosen)),
    )
    scores = block_scores(
        queries,
        first,
        references,
        len(chosen) + len(earlier),
        spec.interval,
        excluded_patches(spec, len(earlier)),
        inside=len(inside),
        spare=bisect_left(chosen, spec.sample[-1]) if spec.sample else None,
        match_radius=spec.match_radius,
        grid=spec.grid,
    )
    positions = torch.tensor(queried, device=scores.device) - start
    return torch.empty_like(scores).index_copy_(0, positions, scores)


def load_queries(spec: ScoreSpec, features: LotFeatures, images: Sequence[int]) -> torch.Tensor:
    """Unit-norm features of some images of the lot: (n, P, C)."""
    queries = torch.empty((len(images), *features.token_shape(spec.shard.layer)), device=choose_device(spec.device))
    for position, chunk in loaded_chunks(spec, features.store, [features.places[image] for image in images]):
        queries[position : position + len(chunk)] = chunk
    return queries


def load_others(
    spec: ScoreSpec, features: LotFeatures, chosen: Sequence[int], first: int, last: int
) -> Iterator[tuple[int, torch.Tensor]]:
    """Unit-norm features of the chosen images of the lot but the `first` to `last` of them, numbered as chosen."""
    places = [features.places[image] for image in chosen]
    yield from loaded_chunks(spec, features.store, places[:first])
    yield from loaded_chunks(spec, features.store, places[last:], last)


def excluded_patches(spec: ScoreSpec, earlier_count: int) -> torch.Tensor | None:
    """Patches that no query may match, bool (N, P): what a group of the lot shares, nothing of earlier lots."""
    if spec.groups is None:
        return None
    _, shared = read_groups(Store(spec.store), spec.groups)
    return F.pad(any_patch(torch.from_numpy(shared), spec.grid).flatten(1), (0, 0, 0, earlier_count))


def loaded_chunks(
    spec: ScoreSpec, store: Store, places: Sequence[Place], number: int = 0
) -> Iterator[tuple[int, torch.Tensor]]:
    """Unit-norm features of stored images, a few at a time, numbered from `number` on; the next are read meanwhile."""
    device, rows = choose_device(spec.device), FeatureRows(store, places)
    starts = range(0, len(places), CHUNK_IMAGES)
    stored = (rows.patch_tokens(spec.shard.layer, start, start + CHUNK_IMAGES) for start in starts)
    for start, chunk in zip(starts, read_ahead(stored), strict=True):
        tokens = torch.from_numpy(chunk).to(device)
        if spec.aggregated:
            yield number + start, F.normalize(tokens.float(), dim=-1)
        else:
            yield number + start, aggregate(tokens, spec.grid, spec.shard.degree)
