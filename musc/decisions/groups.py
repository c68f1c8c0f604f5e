"""Systematic defects: the same flaw on many images of a lot, which therefore finds its own matches and scores low.

Seen from a patch of such a flaw, the other images fall in two: those that share the flaw hold a close match, all
others none (the *consistent anomalies* of CoDeGraph, arXiv 2510.10456). Sorted by distance, the images that share the
flaw come first, and where they end the distance grows suddenly. A patch whose distance grows far more suddenly than is
usual in the lot is a *shared patch* and links its image with the images before that step. Images with many links among
each other are a group, unless as many could agree by chance. A group is a warning and not a verdict: the shared look
may be a flaw, or a harmless variant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, inf, log, prod

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from musc.kernels.matrix_products import fill_directed, fill_symmetric
from musc.layers import Grid

SUDDEN, SUDDEN_IN_MANY = 3.0, 1.5
"""A step counts from so many times the lot's usual strength, the median over the images of each image's strongest.
Where those show no group, weaker ones are enough for many images."""
MANY = 0.1
"""Part of the lot that a group of weaker steps must exceed; a few parts of a rare look agree on such steps too."""
MIN_GROWTH = 0.15
"""Smallest growth of the distance, in natural logarithms, that counts in any lot; the steps shrink as lots grow."""
LARGEST_GROUP = 0.45
"""Part of the lot beyond which a look is taken for normal."""
SMALLEST_GROUP = 3
"""Images; two alike are found in any lot."""
SHARED_PATCHES = 2
"""Shared patches that link two images, in both directions."""
DENSITY = 0.5
"""Part of the pairs inside a group that must be linked."""
CHANCE = 0.01
"""Greatest probability that any group of a size agrees as well by chance."""
NO_DISTANCE = 1e-3
"""Distances below this differ by rounding alone; see docs/method.md."""


@dataclass(frozen=True)
class Step:
    """How far a distance goes up from one image to the next, sorted by distance."""

    rise: float
    """Difference of the two distances."""
    growth: float
    """Natural logarithm of their ratio."""

    @property
    def strength(self) -> float:
        """Geometric mean of both: a step from almost nothing to little grows much and rises little."""
        return (self.rise * self.growth) ** 0.5


@dataclass(frozen=True)
class SharedPatch:
    """A patch that is easy to find in a few images of the lot and hard in the others."""

    image: int
    patch: int
    step: Step
    """From the last image that shares the patch to the next one."""
    sharing: NDArray[np.int64]
    """The images that hold a close match, ascending; the own one is not among them."""


@dataclass(frozen=True)
class Groups:
    """The groups of a lot; group 0 is none."""

    of_image: NDArray[np.int64]
    """(N,): the group of each image, numbered from 1, the largest first."""
    patches: NDArray[np.bool_]
    """(N, P): the patches that the images of a group share."""

    @property
    def count(self) -> int:
        return int(self.of_image.max(initial=0))


def block_similarities(
    queries: torch.Tensor,
    first: int,
    references: Iterable[tuple[int, torch.Tensor]],
    image_count: int,
    outside: torch.Tensor | None = None,
) -> torch.Tensor:
    """Largest similarity of every patch of a query block to each image of the lot.

    Args:
        queries: float (n, P, C), unit rows; images `first` … `first + n − 1` of the lot.
        first: position of the first query in the lot.
        references: (position, float (m, P, C)) for the blocks that hold the images outside the query block.
        image_count: N.
        outside: bool (N, P), patches outside of a region of interest: not matched, and as queries equal to everything.

    Returns:
        Float32 (n, N, P); −inf to the own image.
    """
    own = slice(first, first + len(queries))
    outside = None if outside is None else outside.to(queries.device)
    shape = (len(queries), image_count, queries.shape[1])
    similarities = queries.new_full(shape, -torch.inf, dtype=torch.float32)
    fill_symmetric(similarities[:, own], queries, None if outside is None else outside[own])
    for start, block in references:
        others = slice(start, start + len(block))
        fill_directed(similarities[:, others], queries, block, None if outside is None else outside[others])
    return similarities if outside is None else similarities.masked_fill_(outside[own, None], 1.0)


def shared_patches(similarities: torch.Tensor, image: int) -> tuple[float, list[SharedPatch]]:
    """The patches of one image from which the others fall in two, those with a close match and those without.

    Args:
        similarities: float (N, P), largest similarity of each of its patches to each image; its own row is ignored.
        image: its position in the lot.

    Returns:
        The strength of the image's strongest step, and the patches whose distance grows by `MIN_GROWTH` at once.
    """
    image_count = len(similarities)
    most = int(LARGEST_GROUP * image_count)
    if most < SMALLEST_GROUP - 1:
        return 0.0, []
    distances = (2 - 2 * similarities.float()).clamp(min=NO_DISTANCE**2, max=4).sqrt()
    distances[image] = torch.inf
    nearest = distances.topk(most + 1, dim=0, largest=False)
    before, after = nearest.values[SMALLEST_GROUP - 2 : -1], nearest.values[SMALLEST_GROUP - 1 :]
    growths, places = (after / before).log().max(dim=0)
    rises = (after - before).gather(0, places[None])[0]
    shared = []
    for patch in torch.nonzero(growths >= MIN_GROWTH).flatten().tolist():
        count = int(places[patch]) + SMALLEST_GROUP - 1
        sharing = nearest.indices[:count, patch].sort().values.cpu().numpy()
        shared.append(SharedPatch(image, patch, Step(float(rises[patch]), float(growths[patch])), sharing))
    return float((rises * growths).max().sqrt()), shared


def find_groups(strongest: Iterable[float], shared: Iterable[SharedPatch], grid: Grid) -> Groups:
    """Groups of images that share patches.

    Args:
        strongest: the strength of every image's strongest step, as `shared_patches` gives it.
        shared: the shared patches of all images, in any order.
        grid: patch rows and columns.

    Returns:
        Groups of at least `SMALLEST_GROUP` and at most `LARGEST_GROUP` of the images.
    """
    strengths = list(strongest)
    image_count = len(strengths)
    if image_count < SMALLEST_GROUP:
        return Groups(np.zeros(image_count, dtype=np.int64), np.zeros((image_count, prod(grid)), dtype=np.bool_))
    usual = float(np.median(strengths))
    steps = list(shared)
    strong = [patch for patch in steps if patch.step.strength > SUDDEN * usual]
    of_image, patches = groups_at(strong, image_count, grid)
    if not of_image.any():
        weaker = [patch for patch in steps if patch.step.strength > SUDDEN_IN_MANY * usual]
        of_image, patches = groups_at(weaker, image_count, grid, MANY)
    patches[of_image == 0] = False
    for image in np.flatnonzero(of_image):
        patches[image] = ndimage.binary_dilation(patches[image], np.ones((3, 3), dtype=bool))
    return Groups(of_image, patches.reshape(image_count, -1))


def groups_at(
    sudden: Sequence[SharedPatch], image_count: int, grid: Grid, more_than: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The groups that some shared patches make, (N,), of more than a part of the lot, and their (N, rows, columns)."""
    clustered = beyond_chance(sudden, numbered(clusters(linked(sudden, image_count))))
    patches = group_patches(sudden, clustered, grid)
    of_image = numbered(np.where(patches.any(axis=(1, 2)), clustered, 0))
    sizes = np.bincount(of_image)
    return np.where(sizes[of_image] > more_than * image_count, of_image, 0), patches


def beyond_chance(shared: Iterable[SharedPatch], of_image: NDArray[np.int64]) -> NDArray[np.int64]:
    """The groups that chance does not explain; images of the others are in none.

    By chance the images that share a patch would be any of the lot, so that those inside the group are distributed
    hypergeometrically. Each image stands for its best patch, corrected for the number of different sets of images that
    its patches name (the patches of one flaw name one), and each group for all groups of its size (Bonferroni).

    Args:
        shared: the shared patches of all images.
        of_image: (N,), the group of each image, 0 for none.
    """
    image_count, sizes = len(of_image), np.bincount(of_image)
    best, named = np.zeros(image_count), [set[bytes]() for _ in of_image]
    for patch in shared:
        group = of_image[patch.image]
        if group:
            inside = int((of_image[patch.sharing] == group).sum())
            chance = log_chance(image_count - 1, int(sizes[group]) - 1, len(patch.sharing), inside)
            best[patch.image] = min(best[patch.image], chance)
            named[patch.image].add(patch.sharing.tobytes())
    of_members = np.minimum(0, best + np.log([max(1, len(sets)) for sets in named]))
    kept = [
        group
        for group in range(1, len(sizes))
        if of_members[of_image == group].sum() + log(comb(image_count, int(sizes[group]))) < log(CHANCE)
    ]
    return np.where(np.isin(of_image, kept), of_image, 0)


@cache
def log_chance(population: int, marked: int, drawn: int, least: int) -> float:
    """Natural logarithm of the probability that at least so many of the drawn are marked (hypergeometric), exactly.

    >>> round(log_chance(10, 3, 3, 3), 6) == round(log(1 / 120), 6)
    True
    """
    ways = sum(comb(marked, count) * comb(population - marked, drawn - count) for count in range(least, drawn + 1))
    return log(ways) - log(comb(population, drawn)) if ways else -inf


def group_patches(shared: Iterable[SharedPatch], of_image: NDArray[np.int64], grid: Grid) -> NDArray[np.bool_]:
    """The patches that an image shares with most of its group and with hardly any other image: bool (N, rows, columns).

    Args:
        shared: the candidates.
        of_image: (N,), the group of each image, 0 for none.
        grid: patch rows and columns.
    """
    patches = np.zeros((len(of_image), *grid), dtype=bool)
    sizes = np.bincount(of_image)
    for patch in shared:
        group = of_image[patch.image]
        inside = int((of_image[patch.sharing] == group).sum())
        if group and inside >= DENSITY * max(len(patch.sharing), sizes[group] - 1):
            patches[patch.image].flat[patch.patch] = True
    return patches


def linked(shared: Iterable[SharedPatch], image_count: int) -> NDArray[np.bool_]:
    """Which images are linked by enough shared patches in both directions: symmetric bool (N, N)."""
    counts = np.zeros((image_count, image_count), dtype=np.int64)
    for patch in shared:
        counts[patch.image, patch.sharing] += 1
    return np.minimum(counts, counts.T) >= SHARED_PATCHES


def clusters(links: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Average linkage of the linked images, cut where fewer than `DENSITY` of the pairs between two parts are linked.

    Args:
        links: symmetric bool (N, N).

    Returns:
        (N,), a number for each cluster; 0 for images without links.
    """
    found = np.zeros(len(links), dtype=np.int64)
    some = np.flatnonzero(links.any(axis=1))
    if len(some) >= SMALLEST_GROUP:
        from scipy.cluster.hierarchy import fcluster, linkage  # takes a second to load
        from scipy.spatial.distance import squareform

        apart = 1.0 - links[np.ix_(some, some)]
        np.fill_diagonal(apart, 0.0)
        found[some] = fcluster(linkage(squareform(apart), "average"), t=1 - DENSITY, criterion="distance")
    return found


def numbered(found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Clusters of the allowed sizes numbered from 1, the largest first; 0 for all other images."""
    sizes = np.bincount(found, minlength=1)
    sizes[0] = 0
    allowed = [
        cluster
        for cluster in np.argsort(-sizes, kind="stable")
        if SMALLEST_GROUP <= sizes[cluster] <= LARGEST_GROUP * len(found)
    ]
    of_image = np.zeros(len(found), dtype=np.int64)
    for number, cluster in enumerate(allowed, 1):
        of_image[found == cluster] = number
    return of_image
