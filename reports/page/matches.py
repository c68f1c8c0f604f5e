"""What it should look like: for a suspicious patch, the patches of normal-looking images that are most like it.

These are the very matches that mutual scoring found too far away, so they show what the method compared the patch with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from musc.lnamd_numpy import aggregate_arrays
from musc.plan.partition import CHUNK_IMAGES
from reports.run_record import RunRecord
from storage.artefacts import is_complete
from storage.results.features import LotFeatures
from storage.results.regions import read_regions, region_contents
from storage.results.runs import Run
from storage.store import Store

MAX_CHUNKS = 25
"""Storage chunks that are searched, spread evenly over the lot: 200 images, enough to see what is normal."""


@dataclass(frozen=True)
class Match:
    """A patch of a normal-looking image."""

    image: int
    """Position among the scored images."""
    patch: int
    distance: float
    """Between unit vectors, in [0, 2]."""


def nearest_matches(
    features: LotFeatures,
    queries: Sequence[tuple[int, int]],
    answering: Sequence[bool],
    *,
    layer: int,
    degree: int,
    grid: tuple[int, int],
    count: int = 3,
    outside: np.ndarray | None = None,
) -> list[list[Match]]:
    """The patches of answering images nearest to each query patch, at most one of an image.

    Args:
        features: of the lot.
        queries: (image, patch) each.
        answering: (N,), whether an image may answer.
        layer: whose patch tokens are compared.
        degree: of LNAMD before that.
        grid: patch rows and columns.
        count: matches wanted.
        outside: bool (N, P), patches outside of a region of interest, which do not answer; None is none.

    Returns:
        For each query its matches, nearest first; fewer than `count` where fewer images may answer.
    """
    if not queries:
        return []
    wanted = np.stack([_tokens(features, layer, degree, grid, image)[patch] for image, patch in queries])
    found: list[list[Match]] = [[] for _ in queries]
    for start, stop in searched_chunks(answering):
        tokens = aggregate_arrays(features.patch_tokens(layer, start, stop), grid, degree)
        similarity = wanted @ tokens.transpose(0, 2, 1)  # (images, queries, patches)
        if outside is not None:
            similarity = np.where(outside[start:stop, None], -np.inf, similarity)
        patches = similarity.argmax(axis=2)
        distances = np.sqrt(np.maximum(2 - 2 * similarity.max(axis=2), 0))
        for image in range(start, stop):
            for query, (queried, _) in enumerate(queries):
                if answering[image] and image != queried:
                    place = image - start, query
                    found[query].append(Match(image, int(patches[place]), float(distances[place])))
    return [sorted(matches, key=lambda match: (match.distance, match.image))[:count] for matches in found]


def comparable(store: Store, record: RunRecord) -> bool:
    """Whether what matches are sought in is still in the store: the run's features and its region of interest."""
    return all(is_complete(store, path) for path in (*record.keys.features, *record.keys.regions))


def patches_outside(run: Run, record: RunRecord, grid: tuple[int, int]) -> np.ndarray | None:
    """Patches outside of a run's region of interest: bool (N, P) on a grid; None where it has no region."""
    region = record.job.region
    if region is None:
        return None
    images = run.scored_images()
    row_of = {content: row for row, content in enumerate(region_contents(run.store, region.patches))}
    rows = [row_of[image.sha256] if region.each else 0 for image in images]
    return ~read_regions(run.store, region.patches, grid)[rows].reshape(len(images), -1)


def searched_chunks(answering: Sequence[bool]) -> list[tuple[int, int]]:
    """Images [start, stop) of the chunks that are searched: those with answering images, thinned out evenly."""
    bounds = [*range(0, len(answering), CHUNK_IMAGES), len(answering)]
    chunks = [(start, stop) for start, stop in pairwise(bounds) if any(answering[start:stop])]
    if len(chunks) <= MAX_CHUNKS:
        return chunks
    return [chunks[place] for place in np.linspace(0, len(chunks) - 1, MAX_CHUNKS).round().astype(int)]


def _tokens(features: LotFeatures, layer: int, degree: int, grid: tuple[int, int], image: int) -> np.ndarray:
    return aggregate_arrays(features.patch_tokens(layer, image, image + 1), grid, degree)[0]
