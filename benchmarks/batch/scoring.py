"""Ways to score a lot against itself, each written from its paper's description; MuSc is the project's own.

A way is prepared once for all photographs of a product and then scores any lot of them as if it stood alone.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from photographs import PhotographSet

from musc.kernels.matrix_products import fill_symmetric
from musc.layers import Grid, Layer
from musc.lnamd import aggregate, normalise_layer
from musc.maps import anomaly_maps, image_scores, on_grid
from musc.mutual import interval_mean
from musc.rscin import rescore

INTERVAL = (0.0, 0.3)
DEGREES = (1, 3)
VARIANCE = 0.95
"""Fraction of the variance that the subspace of normal patches explains."""
CORESET, CANDIDATES = 200, 4000
"""Patches kept as references, and those they are chosen from."""
TOP = 0.01
"""Fraction of an image's patches whose mean is its score in AnomalyDINO."""

Scored = tuple[torch.Tensor, torch.Tensor]
"""Patch scores (n, P) on the finest grid, and image scores (n,)."""
Way = Callable[[Sequence[int]], Scored]
Compared = list[tuple[Layer, torch.Tensor]]
"""Per layer float32 (N, N, P): the largest similarity of every patch of an image to each other image."""


def compared(found: PhotographSet, describe: Callable[[torch.Tensor, Grid], torch.Tensor]) -> Compared:
    """Compare all photographs by features (N, P, C) of unit length."""
    similarities = []
    for layer, tokens in zip(found.spec.layers, found.tokens, strict=True):
        nearest = torch.full((len(tokens), len(tokens), layer.patch_count), -torch.inf)
        fill_symmetric(nearest, describe(tokens, layer.grid))
        similarities.append((layer, nearest))
    return similarities


def one_vector(tokens: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Degrees averaged before scoring (MuSc-V2's one scoring per layer): the mean of the unit vectors, unit again."""
    return F.normalize(torch.stack([aggregate(tokens, grid, degree) for degree in DEGREES]).mean(dim=0), dim=-1)


def similarity_weighted(tokens: torch.Tensor, grid: Grid) -> torch.Tensor:
    """As `one_vector`, but a neighbour weighs as much as it resembles the centre, never less than 0 (MuSc-V2)."""
    normal = normalise_layer(tokens)
    cells = F.normalize(normal, dim=-1).unflatten(1, grid).permute(0, 3, 1, 2)
    padded, vectors = F.pad(cells, (1, 1, 1, 1)), normal.unflatten(1, grid).permute(0, 3, 1, 2)
    values, rows, columns = F.pad(vectors, (1, 1, 1, 1)), *grid
    total = torch.zeros_like(vectors)
    for row in range(3):
        for column in range(3):
            place = (..., slice(row, row + rows), slice(column, column + columns))
            total += (cells * padded[place]).sum(dim=1, keepdim=True).clamp(min=0) * values[place]
    means = F.normalize(total.permute(0, 2, 3, 1).flatten(1, 2), dim=-1)
    return F.normalize(F.normalize(normal, dim=-1) + means, dim=-1)


def mutual(found: PhotographSet, parts: Compared, references: int | None, chosen: Sequence[int]) -> Scored:
    """Mutual scoring; with a number of references, every image against the first so many others of a shuffled lot."""
    order = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0)).tolist()
    scores = []
    for layer, nearest in parts:
        of_images = []
        for place, image in enumerate(chosen):
            others = [chosen[other] for other in order if other != place][:references]
            of_images.append(interval_mean(nearest[image, [image, *others]], INTERVAL))
        scores.append(on_grid(torch.stack(of_images), layer.grid, found.spec.grid))
    mean = torch.stack(scores).mean(dim=0)
    return mean, raw_scores(found, mean)


def raw_scores(found: PhotographSet, patch_scores: torch.Tensor) -> torch.Tensor:
    """The maxima of the anomaly maps."""
    return image_scores(anomaly_maps(patch_scores, found.spec.grid, found.spec.image_size))


def top_mean(plain: Way, chosen: Sequence[int]) -> Scored:
    """AnomalyDINO, batched: patches without neighbourhoods, and an image is the mean of its highest patches."""
    patches, _ = plain(chosen)
    return patches, patches.topk(max(1, int(TOP * patches.shape[1])), dim=1).values.mean(dim=1)


def by_class_token(found: PhotographSet, plain: Way, chosen: Sequence[int]) -> Scored:
    """MuSc's RsCIN with the paper's windows."""
    patches, raw = plain(chosen)
    return patches, rescore(raw, found.class_tokens[list(chosen)])


def by_worst_patch(found: PhotographSet, plain: Way, chosen: Sequence[int]) -> Scored:
    """MuSc-V2's re-scoring: images are neighbours if their most anomalous patches resemble each other."""
    patches, raw = plain(chosen)
    described = []
    for layer, tokens in zip(found.spec.layers, found.tokens, strict=True):
        worst = on_grid(patches, found.spec.grid, layer.grid).argmax(dim=1)
        described.append(aggregate(tokens[list(chosen)], layer.grid, 1)[torch.arange(len(chosen)), worst])
    return patches, rescore(raw, F.normalize(torch.cat(described, dim=1), dim=1))


def subspace(found: PhotographSet, chosen: Sequence[int]) -> Scored:
    """SubspaceAD, batched: the distance of a patch from the principal subspace of all patches of the lot."""

    def residuals(vectors: torch.Tensor) -> torch.Tensor:
        flat = vectors.flatten(0, 1)
        centred = flat - flat.mean(dim=0)
        values, axes = torch.linalg.eigh(centred.T @ centred)  # ascending
        dropped = int((values.cumsum(0) <= (1 - VARIANCE) * values.sum()).sum())
        return (centred @ axes[:, : max(1, dropped)]).norm(dim=1).view(vectors.shape[:2])

    return per_layer(found, residuals, chosen)


def coreset(found: PhotographSet, chosen: Sequence[int]) -> Scored:
    """PatchCore, batched: the distance to the nearest of few patches of the lot, each chosen far from the others."""

    def distances(vectors: torch.Tensor) -> torch.Tensor:
        flat = vectors.flatten(0, 1)
        kept = farthest(flat[torch.randperm(len(flat), generator=torch.Generator().manual_seed(0))[:CANDIDATES]])
        nearest = (flat @ kept.T).amax(dim=1)
        return (2 - 2 * nearest).clamp(min=0).sqrt().view(vectors.shape[:2])

    return per_layer(found, distances, chosen)


def farthest(vectors: torch.Tensor, count: int = CORESET) -> torch.Tensor:
    """Greedy k-centre: the first unit vector, then each time the one least like all chosen so far."""
    picked, nearest = [0], vectors @ vectors[0]
    while len(picked) < min(count, len(vectors)):
        picked.append(int(nearest.argmin()))
        nearest = torch.maximum(nearest, vectors @ vectors[picked[-1]])
    return vectors[picked]


def per_layer(found: PhotographSet, score: Callable[[torch.Tensor], torch.Tensor], chosen: Sequence[int]) -> Scored:
    """Scores of each layer at the largest degree, averaged on the finest grid."""
    parts = []
    for layer, tokens in zip(found.spec.layers, found.tokens, strict=True):
        of_layer = score(aggregate(tokens[list(chosen)], layer.grid, DEGREES[-1]))
        parts.append(on_grid(of_layer, layer.grid, found.spec.grid))
    mean = torch.stack(parts).mean(dim=0)
    return mean, raw_scores(found, mean)


def ways(found: PhotographSet, references: int) -> dict[str, Way]:
    """Every way by its name, MuSc first."""
    single = compared(found, partial(aggregate, degree=1))
    musc = partial(mutual, found, single + compared(found, partial(aggregate, degree=3)), None)
    return {
        "MuSc": musc,
        "RsCIN, class tokens": partial(by_class_token, found, musc),
        "RsCIN, worst patches": partial(by_worst_patch, found, musc),
        "one scoring": partial(mutual, found, compared(found, one_vector), None),
        "similarity-weighted": partial(mutual, found, compared(found, similarity_weighted), None),
        "AnomalyDINO": partial(top_mean, partial(mutual, found, single, None)),
        "SubspaceAD": partial(subspace, found),
        "PatchCore": partial(coreset, found),
        f"{references} references": partial(mutual, found, musc.args[1], references),
    }
