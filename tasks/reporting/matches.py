"""What it should look like: for a suspicious patch, the patches of normal-looking images that are most like it.

These are the very matches that mutual scoring found too far away, so they show what the method compared the patch with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from musc.lnamd import aggregate
from musc.plan.partition import CHUNK_IMAGES
from storage.results.features import LotFeatures

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

    Returns:
        For each query its matches, nearest first; fewer than `count` where fewer images may answer.
    """
    if not queries:
        return []
    wanted = torch.cat([_tokens(features, layer, degree, grid, image)[0, [patch]] for image, patch in queries])
    found: list[list[Match]] = [[] for _ in queries]
    for start, stop in searched_chunks(answering):
        tokens = aggregate(torch.from_numpy(features.patch_tokens(layer, start, stop)), grid, degree)
        similarity, patches = (wanted @ tokens.transpose(1, 2)).max(dim=2)  # (images, queries)
        distances = (2 - 2 * similarity).clamp(min=0).sqrt()
        for image in range(start, stop):
            for query, (queried, _) in enumerate(queries):
                if answering[image] and image != queried:
                    place = image - start, query
                    found[query].append(Match(image, int(patches[place]), float(distances[place])))
    return [sorted(matches, key=lambda match: (match.distance, match.image))[:count] for matches in found]


def searched_chunks(answering: Sequence[bool]) -> list[tuple[int, int]]:
    """Images [start, stop) of the chunks that are searched: those with answering images, thinned out evenly."""
    bounds = [*range(0, len(answering), CHUNK_IMAGES), len(answering)]
    chunks = [(start, stop) for start, stop in pairwise(bounds) if any(answering[start:stop])]
    if len(chunks) <= MAX_CHUNKS:
        return chunks
    return [chunks[place] for place in np.linspace(0, len(chunks) - 1, MAX_CHUNKS).round().astype(int)]


def _tokens(features: LotFeatures, layer: int, degree: int, grid: tuple[int, int], image: int) -> torch.Tensor:
    return aggregate(torch.from_numpy(features.patch_tokens(layer, image, image + 1)), grid, degree)
