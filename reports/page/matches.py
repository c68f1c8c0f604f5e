"""What it should look like: for a suspicious patch, the patches of normal-looking images that are most like it.

These are the very matches that mutual scoring found too far away, so they show what the method compared the patch with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from musc.decisions.decision_words import Decision
from musc.kernels.lnamd_numpy import aggregate_arrays
from musc.layers import Layer, middle_degree
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from reports.languages.current import gettext as _
from reports.languages.current import mark
from reports.page.crops import compared_layer
from reports.run_record import RunRecord
from storage.artefacts import is_complete
from storage.results.features import LotFeatures
from storage.results.regions_of_interest import read_regions, region_contents
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE
from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


FEATURES_GONE = mark("the stored features or the region of this run are gone")
OF_TILES = mark("they are not sought where images were scored as tiles")
NONE_ACCEPTED = mark("no other image of the lot was accepted")
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
        queries: (image, patch) each.
        answering: (N,), whether an image may answer.
        grid: patch rows and columns.
        count: matches wanted.
        outside: bool (N, P), patches outside of a region of interest, which do not answer; None is none.

    Returns:
        For each query its matches, nearest first; fewer than `count` where fewer images may answer.
    """
    if not queries:
        return []
    query_tokens = np.stack([_tokens(features, layer, degree, grid, image)[patch] for image, patch in queries])
    matches_of: list[list[Match]] = [[] for _ in queries]
    for start, stop in searched_chunks(answering):
        tokens = aggregate_arrays(features.patch_tokens(layer, start, stop), grid, degree)
        similarity = query_tokens @ tokens.transpose(0, 2, 1)  # (images, queries, patches)
        if outside is not None:
            similarity = np.where(outside[start:stop, None], -np.inf, similarity)
        patches = similarity.argmax(axis=2)
        distances = np.sqrt(np.maximum(2 - 2 * similarity.max(axis=2), 0))
        for image in range(start, stop):
            for query, (queried, _patch) in enumerate(queries):
                if answering[image] and image != queried:
                    index = image - start, query
                    matches_of[query].append(Match(image, int(patches[index]), float(distances[index])))
    return [sorted(matches, key=lambda match: (match.distance, match.image))[:count] for matches in matches_of]


@dataclass(frozen=True)
class Search:
    """Where the places most like others are sought, for people to see: in one layer, at one degree."""

    features: LotFeatures
    layer: Layer
    degree: int
    answering: tuple[bool, ...]
    """Of each of the N scored images whether it may show what is normal."""
    outside: np.ndarray | None
    """Bool (N, P), patches outside of a region of interest."""

    def nearest(self, queries: Sequence[tuple[int, int]], count: int = 3) -> list[list[Match]]:
        """The nearest places of answering images to each (image, patch), as `nearest_matches` finds them."""
        return nearest_matches(
            self.features,
            queries,
            self.answering,
            layer=self.layer.number,
            degree=self.degree,
            grid=self.layer.grid,
            count=count,
            outside=self.outside,
        )

    def same_place(self, patch: int, count: int) -> list[tuple[int, int]]:
        """The same patch in answering images, spread evenly over them: (image, patch) each, `count` at most."""
        there = [
            image
            for image, answers in enumerate(self.answering)
            if answers and (self.outside is None or not self.outside[image, patch])
        ]
        even = np.linspace(0, len(there) - 1, min(len(there), count)).round().astype(int)
        return [(there[index], patch) for index in even]


def searched_at(record: RunRecord) -> str:
    """In which layer and at which degree matches are sought, in words."""
    degree = middle_degree(record.job.settings.degrees)
    return _("layer %(layer)s, degree %(degree)s", layer=compared_layer(record).number, degree=degree)


def search_for(run: Run, record: RunRecord, scores: "pd.DataFrame", shown: Sequence[int]) -> Search:
    """The search among those images of a finished run that may show what a part should look like.

    Args:
        run: with all features that it was scored with, and not of tiles; see `why_no_matches`.
        scores: the table of scores, as `normal_looking` takes it.
        shown: positions of the images that are compared, none of which vouches for another.
    """
    layer, normal = compared_layer(record), normal_looking(scores, shown)
    return Search(
        LotFeatures(run.store, tuple(record.keys.features)),
        layer,
        middle_degree(record.job.settings.degrees),
        tuple(position in normal for position in range(len(scores))),
        patches_outside(run, record, layer.grid),
    )


def normal_looking(scores: "pd.DataFrame", shown: Sequence[int]) -> set[int]:
    """The images that may show what a part should look like: the half of the accepted ones that scored lowest.

    One that is flagged or suspect, shares a flaw with others or was judged defective never does, however low it scored.

    Args:
        scores: the table of scores, indexed by position; with a column `verdict` where people judged images.
        shown: positions of the images they are compared with, none of which vouches for another.
    """
    accepted = scores[(scores["decision"] == Decision.ACCEPTED) & (scores["group"] == 0)].sort_values(
        "rank", kind="stable"
    )
    if "verdict" in accepted:
        accepted = accepted[accepted["verdict"] != DEFECTIVE]
    return {int(position) for position in accepted.index[len(accepted) // 2 :]} - set(shown)


def why_no_matches(store: Store, record: RunRecord) -> str:
    """Why no matches can be sought for a run, as the end of a sentence; empty if they can."""
    if record.job.settings.tile is not None:
        return OF_TILES
    stored = all(is_complete(store, path) for path in (*record.keys.features, *record.keys.regions))
    return "" if stored else FEATURES_GONE


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
    return [chunks[index] for index in np.linspace(0, len(chunks) - 1, MAX_CHUNKS).round().astype(int)]


def _tokens(features: LotFeatures, layer: int, degree: int, grid: tuple[int, int], image: int) -> np.ndarray:
    return aggregate_arrays(features.patch_tokens(layer, image, image + 1), grid, degree)[0]
