"""MSM, the mutual scoring mechanism (MuSc, ICLR 2024, section 3.3).

A normal patch finds a close patch in most other images of its lot, a defect in few. Each query patch is scored by its
nearest distances to the other images, averaged over the lowest part of them.

Patches are unit vectors, so distance² = 2 − 2 · similarity: only the largest similarity per image is kept and the
square root is taken once, at the end. One matrix product serves both images of a pair: its row maxima are the nearest
patches of the first, its column maxima those of the second.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from musc.checks import require_finite
from musc.kernels.products import products, without
from musc.kernels.threads import for_each
from musc.kernels.window import Band, window_bands
from musc.layers import Grid

Interval = tuple[float, float]


def mutual_scores(
    features: torch.Tensor,
    interval: Interval = (0.0, 0.3),
    *,
    sample: Sequence[int] | None = None,
    window: int | None = None,
    grid: Grid | None = None,
    fused: bool = False,
) -> torch.Tensor:
    """Score every patch of a lot by how hard it is to find in the other images.

    Args:
        features: (N, P, C), rows of unit length as `musc.lnamd.aggregate` gives them; N ≥ 2. Products of float16 and
            bfloat16 features are summed in float32; `musc.kernels.precision` says how near they come.
        interval: fractions of the references, sorted by distance, between which nearest distances are averaged.
        sample: positions of the M + 1 images that serve as references, as `musc.plan.sample.draw_sample` draws them: an
            image among them is scored against the others, any other image against all but the last. None is all.
        window: W, patches along rows and along columns within which a patch may be matched; None is everywhere.
        grid: patch rows and columns; needed with a window.
        fused: multiply with the Triton kernel of `musc.kernels.fused`, on a GPU and with half-precision features.

    Returns:
        Float32 (N, P) in [0, 2]; higher is more anomalous.

    Raises:
        ValueError: if fewer than two images are given, a feature is not finite, the interval is out of order, or the
            window does not fit the grid.
    """
    if sample is None:
        return block_scores(features, 0, (), len(features), interval, window=window, grid=grid, fused=fused)
    chosen = sorted(sample)
    order = chosen + sorted(set(range(len(features))) - set(chosen))
    spare = chosen.index(sample[-1])
    shared: dict[str, Any] = {"inside": len(chosen), "spare": spare, "window": window, "grid": grid, "fused": fused}
    scores = block_scores(features[order], 0, (), len(chosen), interval, **shared)
    return torch.empty_like(scores).index_copy_(0, torch.tensor(order, device=scores.device), scores)


def block_scores(
    queries: torch.Tensor,
    first: int,
    references: Iterable[tuple[int, torch.Tensor]],
    image_count: int,
    interval: Interval,
    excluded: torch.Tensor | None = None,
    *,
    inside: int | None = None,
    spare: int | None = None,
    window: int | None = None,
    grid: Grid | None = None,
    fused: bool = False,
) -> torch.Tensor:
    """Score a block of query images against all references, of which those that are no queries may be streamed.

    Each query leaves out one of the N references: itself, or the spare one where it is no reference. Pairs inside the
    block are visited once, pairs with streamed references once per query block.

    Args:
        queries: float (n, P, C), unit rows; those that are references themselves come first, as references `first`,
            `first + 1` …
        first: position of the first query among the references.
        references: (position, float (m, P, C)) for blocks that together hold every reference outside the query block.
        image_count: N, references in all: the images of the lot, or a sample of them, and images of earlier lots.
        interval: see `mutual_scores`; fractions of N − 1. So is fused.
        excluded: bool (N, P), patches that no query may match; they are still scored as queries. An image of which
            every patch is excluded counts as one that resembles nothing, at distance 2. None excludes nothing.
        inside: queries that are references themselves; None is all.
        spare: position of the reference that queries outside the references leave out; needed if there are any.
        window: see `mutual_scores`, and so is grid.

    Returns:
        Float32 (n, P) in [0, 2].

    Raises:
        ValueError: as `mutual_scores`, if the references do not hold every other image exactly once, if the
            excluded patches are not (N, P), or if the spare reference is missing.
    """
    if image_count < 2:
        raise ValueError(f"a lot must hold at least 2 images to be scored against each other, got {image_count}")
    require_interval(interval)
    require_finite("features", queries)
    query_count, patch_count = queries.shape[:2]
    inside = query_count if inside is None else inside
    require_spare(spare, query_count - inside, image_count)
    bands = window_bands(patch_count, window, grid, queries.device)
    if excluded is not None:
        require_excluded(excluded, image_count, patch_count)
        excluded = excluded.to(queries.device)
    similarities = queries.new_full((query_count, image_count, patch_count), -torch.inf, dtype=torch.float32)
    fill_own, fill_others = fills(fused)
    own = slice(first, first + inside)
    of_own = None if excluded is None else excluded[own]
    fill_own(similarities[:inside, own], queries[:inside], of_own, bands)
    fill_others(similarities[inside:, own], queries[inside:], queries[:inside], of_own, bands)
    visits = [0] * image_count
    for start, block in references:
        require_finite("features", block)
        outside = slice(start, start + len(block))
        fill_others(similarities[:, outside], queries, block, None if excluded is None else excluded[outside], bands)
        visits[outside] = [count + 1 for count in visits[outside]]
    require_each_once(visits, first, first + inside)
    if spare is not None:
        similarities[inside:, spare] = -torch.inf
    return torch.stack([interval_mean(of_query, interval) for of_query in similarities])


def fills(fused: bool) -> tuple[Callable[..., None], Callable[..., None]]:
    """`fill_symmetric` and `fill_directed`: the plain ones below, or the kernel's."""
    if not fused:
        return fill_symmetric, fill_directed
    from musc.kernels import fused as kernel  # which imports Triton

    return kernel.fill_symmetric, kernel.fill_directed


def fill_symmetric(
    nearest: torch.Tensor,
    features: torch.Tensor,
    excluded: torch.Tensor | None = None,
    bands: Sequence[Band] | None = None,
) -> None:
    """Find the largest similarity of every patch to each image of the same block, multiplying each unordered pair once.

    Args:
        nearest: float32 (n, n, P), all −inf, filled in place, a view of the whole lot's array so that no second one is
            held: entry [i, j, p] compares patch p of image i with image j; entries with i = j are left as they are.
        features: float (n, P, C), unit rows.
        excluded: bool (n, P), patches that may not be matched; None excludes nothing.
        bands: which patches are matched with which; None is all with all.
    """
    bands = bands or window_bands(features.shape[1], None, None, features.device)

    def visit(query: int) -> None:
        for start, stop, band, product in products(features[query], features, query + 1, bands):
            rows = cols = product
            if excluded is not None:
                rows = without(product, excluded[start:stop, None, band.references])
                cols = without(product, excluded[None, query, band.queries, None])
            nearest[query, start:stop, band.queries] = rows.amax(dim=2)
            found = nearest[start:stop, query, band.references]
            torch.maximum(found, cols.amax(dim=1), out=found)  # a patch is within reach of several bands

    for_each(visit, range(len(features) - 1), features.device)


def fill_directed(
    nearest: torch.Tensor,
    queries: torch.Tensor,
    references: torch.Tensor,
    excluded: torch.Tensor | None = None,
    bands: Sequence[Band] | None = None,
) -> None:
    """Find the largest similarity of every query patch to each reference image, one direction only.

    Args:
        nearest: float32 (n, m, P), filled in place.
        queries: float (n, P, C), unit rows.
        references: float (m, P, C), unit rows of other images.
        excluded: bool (m, P), patches of the references that may not be matched; None excludes nothing.
        bands: which patches are matched with which; None is all with all.
    """
    bands = bands or window_bands(references.shape[1], None, None, references.device)

    def visit(query: int) -> None:
        for start, stop, band, product in products(queries[query], references, 0, bands):
            allowed = product if excluded is None else without(product, excluded[start:stop, None, band.references])
            nearest[query, start:stop, band.queries] = allowed.amax(dim=2)

    for_each(visit, range(len(queries)), queries.device)


def interval_mean(similarities: torch.Tensor, interval: Interval) -> torch.Tensor:
    """Mean nearest distance over an interval of the references, nearest first.

    Args:
        similarities: float32 (N, P), largest similarity of one image's patches to each reference, −inf to the one it
            leaves out.
        interval: fractions of the N − 1 others; at least one image is averaged.

    Returns:
        Float32 (P,) in [0, 2].
    """
    low, high = interval_counts(interval, len(similarities) - 1)
    nearest = similarities.topk(high, dim=0).values[low:]
    return (2 - 2 * nearest).clamp(min=0, max=4).sqrt().mean(dim=0)


def interval_counts(interval: Interval, reference_count: int) -> tuple[int, int]:
    """The ranks [low, high) of the references that an interval averages; never empty.

    >>> interval_counts((0.0, 0.3), 9)
    (0, 2)
    """
    high = max(1, int(interval[1] * reference_count))
    low = min(int(interval[0] * reference_count), high - 1)
    return low, high


def require_each_once(visits: list[int], first: int, stop: int) -> None:
    """Refuse references that leave out an image of the lot, repeat one or visit a query.

    Args:
        visits: how often each image of the lot came as a reference.
        first: position of the first query.
        stop: position after the last query.

    Raises:
        ValueError: naming the first positions that are wrong.
    """
    wrong = [position for position, count in enumerate(visits) if count != (not first <= position < stop)]
    if wrong:
        raise ValueError(
            f"references must hold each of the {len(visits) - (stop - first)} images outside the query block once, "
            f"got {len(wrong)} positions left out, repeated or inside it (first at {wrong[:5]})"
        )


def require_spare(spare: int | None, outside_count: int, image_count: int) -> None:
    """Refuse queries that would have one reference more than the others.

    Raises:
        ValueError: if there are queries outside the references and no valid position is given for them to leave out.
    """
    if outside_count and (spare is None or not 0 <= spare < image_count):
        raise ValueError(
            f"spare must be the position of a reference that the {outside_count} queries outside the {image_count} "
            f"references leave out, got {spare}"
        )


def require_excluded(excluded: torch.Tensor, image_count: int, patch_count: int) -> None:
    """Refuse a mask of excluded patches that does not fit the lot.

    Raises:
        ValueError: unless it is bool (N, P).
    """
    if excluded.dtype != torch.bool or excluded.shape != (image_count, patch_count):
        raise ValueError(
            f"excluded must be a bool mask of shape {(image_count, patch_count)}, one value per image and patch of the "
            f"lot, got {excluded.dtype} {tuple(excluded.shape)}"
        )


def require_interval(interval: Interval) -> None:
    """Refuse fractions that select nothing.

    Raises:
        ValueError: unless 0 ≤ low < high ≤ 1.
    """
    if isinstance(interval, int | float) or len(interval) != 2 or not 0 <= interval[0] < interval[1] <= 1:
        raise ValueError(
            f"interval must be two fractions 0 ≤ low < high ≤ 1, got {interval}; the paper uses (0.0, 0.3)"
        )
