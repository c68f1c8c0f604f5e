"""MSM, the mutual scoring mechanism (MuSc, ICLR 2024, section 3.3).

A normal patch finds a close patch in most other images of its lot, a defect in few. Each query patch is scored by its
nearest distances to the other images, averaged over the lowest part of them.

Patches are unit vectors, so distance² = 2 − 2 · similarity: only the largest similarity per image is kept and the
square root is taken once, at the end. `musc.kernels` finds the similarities.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch

from musc.array_checks import require_each_once, require_excluded, require_finite, require_spare
from musc.kernels import matrix_products as products
from musc.kernels import pooled_scores as pooled
from musc.kernels.match_window import window_bands
from musc.layers import Grid, Layer
from musc.lnamd import PooledTokens, aggregate, pool
from musc.option_ranges import PAPER_INTERVAL, Interval, require_interval, require_match_radius
from musc.plan.cost import pair_count
from musc.plan.pooling import compare_layers
from musc.plan.sample import sample_size
from musc.threads import for_each

LayerTokens = torch.Tensor | PooledTokens
"""Images at one degree, float (N, P, C) with rows of unit length as `musc.lnamd.aggregate` gives them; or at several
degrees as `musc.lnamd.pool` prepares them, on the CPU."""


def degree_scores(
    patch_tokens: torch.Tensor,
    grid: Grid,
    degrees: Sequence[int] = (1, 3, 5),
    interval: Interval = PAPER_INTERVAL,
    *,
    sample: Sequence[int] | None = None,
    match_radius: int | None = None,
    pooling: bool | None = None,
) -> dict[int, torch.Tensor]:
    """Score every patch of a lot at several degrees, before any neighbourhood is averaged, by the cheapest exact way.

    Args:
        patch_tokens: (N, P, C), any floating dtype; computed in float32. N ≥ 2.
        grid: patch rows and columns, P = rows · columns.
        degrees: sides of the LNAMD neighbourhoods in patches, odd.
        interval: see `mutual_scores`, and so are sample and match_radius.
        sample: see interval.
        match_radius: see interval.
        pooling: one product for all degrees, on a CPU only, or one for each; None chooses by counted operations.

    Returns:
        Float32 (N, P) in [0, 2] for each degree; higher is more anomalous.

    Raises:
        ValueError: as `mutual_scores` and `musc.lnamd.aggregate`.
    """
    if pooling is None:
        image_count, _, width = patch_tokens.shape
        references = sample_size(image_count, None if sample is None else len(sample) - 1)
        pairs = pair_count(image_count, image_count, references)
        poolable = patch_tokens.device.type == "cpu"
        alone = Layer(0, grid, width)
        pooling = compare_layers([alone], degrees, pair_count=pairs, match_radius=match_radius, poolable=poolable)[
            0
        ].pooled
    if pooling:
        features = pool(patch_tokens, grid, degrees)
        scores = mutual_scores(features, interval, sample=sample, match_radius=match_radius)
        return {degree: scores[features.degrees.index(degree)] for degree in degrees}
    return {
        degree: mutual_scores(
            aggregate(patch_tokens, grid, degree), interval, sample=sample, match_radius=match_radius, grid=grid
        )
        for degree in degrees
    }


def mutual_scores(
    features: LayerTokens,
    interval: Interval = PAPER_INTERVAL,
    *,
    sample: Sequence[int] | None = None,
    match_radius: int | None = None,
    grid: Grid | None = None,
) -> torch.Tensor:
    """Score every patch of a lot by how hard it is to find in the other images.

    Args:
        features: of N ≥ 2 images. Products of float16 and bfloat16 features are summed in float32;
            `musc.kernels.precision` says how near they come.
        interval: fractions of the references, sorted by distance, between which nearest distances are averaged.
        sample: positions of the M + 1 images that serve as references, as `musc.plan.sample.draw_sample` draws them: an
            image among them is scored against the others, any other image against all but the last. None is all.
        match_radius: W, patches along rows and along columns within which a patch may be matched; None is everywhere.
        grid: patch rows and columns; needed with a window unless the features say it.

    Returns:
        Float32 (N, P) in [0, 2], or (D, N, P) for features at D degrees; higher is more anomalous.

    Raises:
        ValueError: if fewer than two images are given, a feature is not finite, the interval is out of order, or the
            window does not fit the grid.
    """
    if sample is None:
        return block_scores(features, 0, (), len(features), interval, match_radius=match_radius, grid=grid)
    chosen = sorted(sample)
    order = chosen + sorted(set(range(len(features))) - set(chosen))
    scores = block_scores(
        features[order],
        0,
        (),
        len(chosen),
        interval,
        inside=len(chosen),
        spare=chosen.index(sample[-1]),
        match_radius=match_radius,
        grid=grid,
    )
    return torch.empty_like(scores).index_copy_(-2, torch.tensor(order, device=scores.device), scores)


def block_scores(
    queries: LayerTokens,
    first: int,
    references: Iterable[tuple[int, LayerTokens]],
    image_count: int,
    interval: Interval,
    excluded: torch.Tensor | None = None,
    *,
    inside: int | None = None,
    spare: int | None = None,
    match_radius: int | None = None,
    grid: Grid | None = None,
    kept_apart: torch.Tensor | None = None,
) -> torch.Tensor:
    """Score a block of query images against all references, of which those that are no queries may be streamed.

    Each query leaves out one of the N references: itself, or the spare one where it is no reference. Pairs inside the
    block are visited once, pairs with streamed references once per query block.

    Args:
        queries: of n images; those that are references themselves come first, as references `first`, `first + 1` …
        first: position of the first query among the references.
        references: (position, features of the same kind) for blocks that together hold every reference outside the
            query block.
        image_count: N, references in all: the images of the lot, or a sample of them, and images of earlier lots.
        interval: see `mutual_scores`; fractions of N − 1.
        excluded: bool (N, P), patches that no query may match; they are still scored as queries. An image of which
            every patch is excluded counts as one that resembles nothing, at distance 2. None excludes nothing.
        inside: queries that are references themselves; None is all.
        spare: position of the reference that queries outside the references leave out; needed if there are any.
        match_radius: see `mutual_scores`, and so is grid.
        kept_apart: bool (n, N), references that a query leaves out besides itself, such as tiles of its own image; the
            interval's fractions are of those that remain. None is none.

    Returns:
        Float32 (n, P) in [0, 2], or (D, n, P) for features at D degrees.

    Raises:
        ValueError: as `mutual_scores`, if the references do not hold every other image exactly once, if the
            excluded patches are not (N, P), or if the spare reference is missing.
    """
    if image_count < 2:
        raise ValueError(f"a lot must hold at least 2 images to be scored against each other, got {image_count}")
    require_interval(interval)
    require_finite("features", vectors(queries))
    query_count, patch_count = vectors(queries).shape[:2]
    inside = query_count if inside is None else inside
    require_spare(spare, query_count - inside, image_count)
    fill_own, fill_others = fills(queries, match_radius, grid)
    if excluded is not None:
        require_excluded(excluded, image_count, patch_count)
        excluded = excluded.to(vectors(queries).device)
    degree_count = (len(queries.degrees),) if isinstance(queries, PooledTokens) else ()
    similarities = vectors(queries).new_full(
        (*degree_count, query_count, image_count, patch_count), -torch.inf, dtype=torch.float32
    )
    own = slice(first, first + inside)
    of_own = None if excluded is None else excluded[own]
    fill_own(similarities[..., :inside, own, :], queries[:inside], of_own)
    fill_others(similarities[..., inside:, own, :], queries[inside:], queries[:inside], of_own)
    visits = [0] * image_count
    for start, block in references:
        require_finite("features", vectors(block))
        outside = slice(start, start + len(block))
        fill_others(similarities[..., outside, :], queries, block, None if excluded is None else excluded[outside])
        visits[outside] = [count + 1 for count in visits[outside]]
    require_each_once(visits, first, first + inside)
    if spare is not None:
        similarities[..., inside:, spare, :] = -torch.inf
    fewer = [0] * query_count
    if kept_apart is not None:
        similarities.masked_fill_(kept_apart.to(similarities.device)[..., None], -torch.inf)
        fewer = kept_apart.sum(dim=1).tolist()
    of_queries = similarities.flatten(0, -3)
    means = of_queries.new_empty(len(of_queries), patch_count)

    def average(query: int) -> None:
        means[query] = interval_mean(of_queries[query], interval, fewer[query % query_count])

    for_each(average, range(len(of_queries)), means.device)
    return means.view(*degree_count, query_count, patch_count)


def vectors(features: LayerTokens) -> torch.Tensor:
    """What is multiplied: (N, P, C)."""
    return features.tokens if isinstance(features, PooledTokens) else features


def fills(
    queries: LayerTokens, match_radius: int | None, grid: Grid | None
) -> tuple[Callable[..., None], Callable[..., None]]:
    """`fill_symmetric` and `fill_directed` for features of a kind, within a window.

    Raises:
        ValueError: if the window does not fit the grid.
    """
    if isinstance(queries, PooledTokens):
        if match_radius is not None:
            require_match_radius(match_radius)
        return partial(pooled.fill_symmetric, match_radius=match_radius), partial(
            pooled.fill_directed, match_radius=match_radius
        )
    bands = window_bands(queries.shape[1], match_radius, grid, queries.device)
    return partial(products.fill_symmetric, bands=bands), partial(products.fill_directed, bands=bands)


def interval_mean(similarities: torch.Tensor, interval: Interval, kept_apart: int = 0) -> torch.Tensor:
    """Mean nearest distance over an interval of the references, nearest first.

    Args:
        similarities: float32 (N, P), largest similarity of one image's patches to each reference, −inf to the one it
            leaves out; overwritten on a CPU, so that no copy is needed.
        interval: fractions of the others; at least one image is averaged.
        kept_apart: references that it leaves out besides that one, of similarity −inf too.

    Returns:
        Float32 (P,) in [0, 2].
    """
    low, high = interval_counts(interval, len(similarities) - 1 - kept_apart)
    if similarities.device.type == "cpu":  # numpy sorts with vector instructions, four times as fast as `topk`
        similarities.neg_().numpy().sort(axis=0)
        opposite = similarities[low:high]
    else:
        opposite = -similarities.topk(high, dim=0).values[low:]
    return opposite.mul_(2).add_(2).clamp_(min=0, max=4).sqrt_().mean(dim=0)


def interval_counts(interval: Interval, reference_count: int) -> tuple[int, int]:
    """The ranks [low, high) of the references that an interval averages; never empty.

    >>> interval_counts((0.0, 0.3), 9)
    (0, 2)
    """
    high = max(1, int(interval[1] * reference_count))
    low = min(int(interval[0] * reference_count), high - 1)
    return low, high
