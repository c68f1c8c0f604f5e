"""Score: mutual scoring of one shard, LNAMD applied while features are loaded."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain

import torch
import torch.nn.functional as F

from musc.maps import any_patch
from musc.mutual import LayerTokens, block_scores
from planning.task_results import StoredArtefact
from planning.task_specs import ScoreSpec
from storage.artefacts import is_complete
from storage.results.features import LotFeatures
from storage.results.groups import read_groups
from storage.results.patch_scores import write_shard
from storage.results.regions_of_interest import read_regions
from storage.results.tile_rows import scored_rows
from storage.store import Store
from tasks.runtime.feature_reader import FeatureReader
from tasks.runtime.out_of_memory import halve_on_out_of_memory


def score_shard(spec: ScoreSpec) -> StoredArtefact:
    """Make sure the patch scores of one shard are stored: their mean over the degrees."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        cells = scores_within_memory(spec).view(-1, *spec.comparison.grid).cpu().numpy()
        degrees, pooled = list(spec.comparison.degrees), spec.comparison.pooled
        attributes = {"degrees": degrees, "interval": list(spec.interval), "pooled": pooled}
        write_shard(store, spec.path, cells, {**asdict(spec.shard), **attributes})
    return StoredArtefact(path=spec.path)


def scores_within_memory(spec: ScoreSpec) -> torch.Tensor:
    """Patch scores of a shard, float32 (n, P): on CUDA out of memory in smaller query blocks, finally on the CPU."""

    def on_device(start: int, stop: int) -> torch.Tensor:
        return shard_scores(replace(spec, shard=replace(spec.shard, start=start, stop=stop))).cpu()

    def on_cpu(start: int, stop: int) -> torch.Tensor:
        return shard_scores(spec.on("cpu"))

    return torch.cat(halve_on_out_of_memory(on_cpu, on_device, spec.shard.start, spec.shard.stop))


def shard_scores(spec: ScoreSpec) -> torch.Tensor:
    """Mean patch scores of a shard's query images over the degrees, all at once or one after the other: (n, P)."""
    if spec.comparison.pooled:
        return degree_scores(spec, spec.comparison.degrees).mean(dim=0)
    first, *further = spec.comparison.passes
    total = degree_scores(spec, first)
    for degrees in further:
        total += degree_scores(spec, degrees)
    return total / len(spec.comparison.degrees)


def degree_scores(spec: ScoreSpec, degrees: tuple[int, ...]) -> torch.Tensor:
    """Patch scores of a shard's query images at one degree, float32 (n, P), or at all, (D, n, P).

    References are rows of stored blocks, whether they are the lot, a subset or a sample of it, or images of earlier
    lots. Queries that are references themselves come first, as `block_scores` wants them, and go back to their places.
    """
    start, stop = spec.shard.start, spec.shard.stop
    chosen = sorted(spec.sample) if spec.sample else list(range(*spec.lot_range))
    first, last = bisect_left(chosen, start), bisect_left(chosen, stop)
    inside = chosen[first:last]
    queried = inside + sorted(set(range(start, stop)) - set(inside))
    features = lot_features(spec, degrees)
    reader = feature_reader(spec, degrees)
    queries = load_queries(spec, reader, features, queried)
    further = [(rows.block, row) for rows in spec.earlier for row in rows.rows]
    chunks = chain(load_others(spec, reader, features, chosen, first, last), reader.chunks(further, len(chosen)))
    scores = block_scores(
        queries,
        first,
        chunks,
        len(chosen) + len(further),
        spec.interval,
        excluded_patches(spec, chosen, len(further)),
        inside=len(inside),
        spare=bisect_left(chosen, spec.sample[-1]) if spec.sample else None,
        match_radius=spec.comparison.match_radius,
        grid=spec.comparison.grid,
        kept_apart=tiles_apart(spec, queried, chosen),
    )
    positions = torch.tensor(queried, device=scores.device) - start
    in_order = torch.empty_like(scores).index_copy_(-2, positions, scores)
    outside = outside_patches(spec, range(start, stop))
    return in_order if outside is None else in_order.masked_fill(outside.to(scores.device), torch.nan)


def tiles_apart(spec: ScoreSpec, queried: Sequence[int], references: Sequence[int]) -> torch.Tensor | None:
    """Which references are other tiles of a query's own image, bool (n, N); None where all are of other images."""
    if not spec.tiles > 1:
        return None
    images = scored_count(spec) // spec.tiles
    query_tiles, reference_tiles = torch.tensor(queried), torch.tensor(references)
    apart = (query_tiles[:, None] % images == reference_tiles % images) & (query_tiles[:, None] != reference_tiles)
    return apart if bool(apart.any()) else None


def scored_count(spec: ScoreSpec) -> int:
    """Parts of the lot that are scored: images, or all their tiles."""
    return len(scored_rows(lot_features(spec, spec.comparison.degrees[:1]), spec.tiles))


def lot_features(spec: ScoreSpec, degrees: tuple[int, ...]) -> LotFeatures:
    """The lot's stored blocks: those after LNAMD at a degree where there are any."""
    blocks = spec.aggregated[spec.comparison.degrees.index(degrees[0])] if spec.aggregated else spec.blocks
    return LotFeatures(Store(spec.store), blocks)


def feature_reader(spec: ScoreSpec, degrees: tuple[int, ...]) -> FeatureReader:
    """Reads what a shard compares."""
    return FeatureReader(Store(spec.store), spec.comparison, degrees)


def load_queries(spec: ScoreSpec, reader: FeatureReader, features: LotFeatures, images: Sequence[int]) -> LayerTokens:
    """Features of some images of the lot."""
    width = features.token_shape(spec.shard.layer)[1]
    scored = scored_rows(features, spec.tiles)
    return reader.read_all([scored[image] for image in images], width, aggregated=bool(spec.aggregated))


def load_others(
    spec: ScoreSpec, reader: FeatureReader, features: LotFeatures, references: Sequence[int], first: int, last: int
) -> Iterator[tuple[int, LayerTokens]]:
    """Features of the chosen images of the lot but the `first` to `last` of them, numbered as chosen."""
    scored = scored_rows(features, spec.tiles)
    rows = [scored[image] for image in references]
    yield from reader.chunks(rows[:first], aggregated=bool(spec.aggregated))
    yield from reader.chunks(rows[last:], last, aggregated=bool(spec.aggregated))


def excluded_patches(spec: ScoreSpec, references: Sequence[int], earlier_count: int) -> torch.Tensor | None:
    """Patches that no query may match, bool (N, P): what a group of the lot shares, and what is outside of a region.

    Args:
        references: positions of the lot's images that serve as references; all where there are groups.
        earlier_count: further references, which share nothing with groups of the lot.
    """
    outside = outside_patches(spec, references, further=True)
    if spec.groups is None:
        return outside
    _, shared = read_groups(Store(spec.store), spec.groups)
    grouped = F.pad(any_patch(torch.from_numpy(shared), spec.comparison.grid).flatten(1), (0, 0, 0, earlier_count))
    return grouped if outside is None else grouped | outside


def outside_patches(spec: ScoreSpec, images: Sequence[int], *, further: bool = False) -> torch.Tensor | None:
    """Patches outside of the region of interest, bool (n, P), of images of the lot, and of all further references."""
    if spec.region is None:
        return None
    rows = [spec.region.lot[image] for image in images] + list(spec.region.earlier if further else ())
    inside = read_regions(Store(spec.store), spec.region.path, spec.comparison.grid)
    return torch.from_numpy(~inside[rows]).flatten(1)
