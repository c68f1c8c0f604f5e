"""Systematic defects: the same flaw on many images of a lot, which therefore finds its own matches and scores low.

Seen from a patch of such a flaw, the other images fall in two: those that share the flaw hold a close match, all others
none (the *consistent anomalies* of CoDeGraph, arXiv 2510.10456). A patch that is hard to find in most of the lot, yet
easy in a few images, is a *shared patch* and links its image with those few. Images with many links among each other
are a group. A group is a warning and not a verdict: the shared look may be a flaw, or a harmless variant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from musc.decisions.rule import GUMBEL, fit_bulk, standard_quantiles
from musc.kernels.products import fill_directed, fill_symmetric

USUAL_IMAGES = 0.9
"""Part of the good images whose hardest patch counts as usual."""
CLOSE = 0.8
"""An image shares a patch if it holds a match within this part of the patch's median distance to all images."""
HARDEST = 0.1
"""Part of an image's patches, those hardest to find in the lot, that are looked at."""
LARGEST_GROUP = 0.45
"""Part of the lot beyond which a look is taken for normal."""
SMALLEST_GROUP = 3
"""Images; two alike are found in any lot."""
SHARED_PATCHES = 2
"""Shared patches that link two images, in both directions."""
DENSITY = 0.5
"""Part of the pairs inside a group that must be linked."""


@dataclass(frozen=True)
class SharedPatch:
    """A patch that is easy to find in a few images of the lot and hard in the others."""

    image: int
    patch: int
    median: float
    """Median distance to the other images."""
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
    """The shared patches of one image.

    Args:
        similarities: float (N, P), largest similarity of each of its patches to each image; its own row is ignored.
        image: its position in the lot.

    Returns:
        The median distance of its hardest patch, and the candidates among its hardest patches.
    """
    image_count, patch_count = similarities.shape
    distances = (2 - 2 * similarities.float()).clamp(min=0, max=4).sqrt()
    distances[image] = torch.inf
    others = torch.cat([distances[:image], distances[image + 1 :]])
    medians = others.median(dim=0).values  # of an even number of images the lower one
    hardest = medians.topk(max(1, int(HARDEST * patch_count)))
    close = (distances[:, hardest.indices] <= CLOSE * hardest.values).T.cpu().numpy()  # (patches, N)
    found = []
    for patch, median, of_patch in zip(hardest.indices.tolist(), hardest.values.tolist(), close, strict=True):
        sharing = np.flatnonzero(of_patch)
        if SMALLEST_GROUP - 1 <= len(sharing) <= LARGEST_GROUP * image_count:
            found.append(SharedPatch(image, patch, median, sharing))
    return float(hardest.values[0]), found


def find_groups(hardest: NDArray[np.float64], shared: Iterable[SharedPatch], grid: tuple[int, int]) -> Groups:
    """Groups of images that share patches.

    Args:
        hardest: (N,), the median distance of every image's hardest patch.
        shared: the shared patches of all images, in any order.
        grid: patch rows and columns.

    Returns:
        Groups of at least `SMALLEST_GROUP` and at most `LARGEST_GROUP` of the images.
    """
    if len(hardest) < SMALLEST_GROUP:
        return Groups(np.zeros(len(hardest), dtype=np.int64), np.zeros((len(hardest), prod(grid)), dtype=np.bool_))
    location, scale = fit_bulk(np.sort(np.asarray(hardest, dtype=np.float64)), GUMBEL)
    usual = location + scale * standard_quantiles(USUAL_IMAGES, GUMBEL)
    unusual = [patch for patch in shared if patch.median > usual]
    clustered = numbered(clusters(linked(unusual, len(hardest))))
    patches = group_patches(unusual, clustered, grid)
    of_image = numbered(np.where(patches.any(axis=(1, 2)), clustered, 0))
    patches[of_image == 0] = False
    for image in np.flatnonzero(of_image):
        patches[image] = ndimage.binary_dilation(patches[image], np.ones((3, 3), dtype=bool))
    return Groups(of_image, patches.reshape(len(hardest), -1))


def group_patches(
    shared: Iterable[SharedPatch], of_image: NDArray[np.int64], grid: tuple[int, int]
) -> NDArray[np.bool_]:
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
