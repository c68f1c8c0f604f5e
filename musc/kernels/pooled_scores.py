"""Nearest patches at all degrees of LNAMD from one matrix product per pair of images, on the CPU.

`musc.kernels.box_sums` finds the similarities of pooled patches from the products of plain ones; here images are paired
and multiplied. `musc.plan.pooling` says where this is cheaper than a product for each degree (`matrix_products`).
"""

from collections.abc import Iterable

import numpy as np
import torch

from musc.grids import PRODUCT_COLUMNS, rounded_up, row_bands
from musc.kernels.match_window import effective_radius
from musc.kernels.precision import ALIGNMENT, multiply_into
from musc.layers import Grid
from musc.lnamd import PooledTokens
from musc.threads import Scratch, for_each


def fill_symmetric(
    nearest: torch.Tensor,
    features: PooledTokens,
    excluded: torch.Tensor | None = None,
    match_radius: int | None = None,
) -> None:
    """Find the largest similarity of every patch to each image of the same block, multiplying each unordered pair once.

    Args:
        nearest: float32 (D, n, n, P), filled in place, a view of the whole lot's array so that no second one is held:
            entry [d, i, j, p] compares patch p of image i with image j; entries with i = j are left as they are.
        features: of n images, on the CPU.
        excluded: bool (n, P), patches that may not be matched; None excludes nothing.
        match_radius: patches along rows and along columns within which a patch may be matched; None is everywhere.
    """
    scratch = Scratch()

    def visit(query: int) -> None:
        first = query + 1
        own = None if excluded is None else excluded[query]
        others = None if excluded is None else excluded[first:]
        for start, stop, rows, columns in maxima(features, query, features[first:], own, others, match_radius, scratch):
            nearest[:, query, first + start : first + stop] = rows
            nearest[:, first + start : first + stop, query] = columns

    for_each(visit, range(len(features) - 1), features.tokens.device)


def fill_directed(
    nearest: torch.Tensor,
    queries: PooledTokens,
    references: PooledTokens,
    excluded: torch.Tensor | None = None,
    match_radius: int | None = None,
) -> None:
    """Find the largest similarity of every query patch to each reference image, one direction only.

    Args:
        nearest: float32 (D, n, m, P), filled in place.
        queries: of n images, on the CPU.
        references: of m other images.
        excluded: bool (m, P), patches of the references that may not be matched; None excludes nothing.
        match_radius: as in `fill_symmetric`.
    """
    scratch = Scratch()

    def visit(query: int) -> None:
        for start, stop, rows, _ in maxima(queries, query, references, None, excluded, match_radius, scratch):
            nearest[:, query, start:stop] = rows

    for_each(visit, range(len(queries)), queries.tokens.device)


Maxima = tuple[int, int, torch.Tensor, torch.Tensor]
"""References start, stop, and the largest similarities of the query's patches and of theirs, (D, stop − start, P)."""


def maxima(
    features: PooledTokens,
    query: int,
    references: PooledTokens,
    own_excluded: torch.Tensor | None,
    excluded: torch.Tensor | None,
    match_radius: int | None,
    scratch: Scratch,
) -> Iterable[Maxima]:
    """Compare one image of `features` with all references, as many at a time as a product is wide."""
    from musc.kernels.box_sums import pooled_maxima  # loads numba, and compiles or loads machine code

    patch_count, degree_count = features.tokens.shape[1], len(features.degrees)
    step = max(1, PRODUCT_COLUMNS // patch_count)
    stride = rounded_up(step * patch_count, ALIGNMENT)
    product = scratch.rows(patch_count + 1, stride)
    product[-1] = 0
    reaches = np.array([degree // 2 for degree in features.degrees])
    limit = None if match_radius is None else effective_radius(match_radius, features.grid)
    own = torch.zeros(patch_count, dtype=torch.bool) if own_excluded is None else own_excluded
    for start in range(0, len(references), step):
        some = references[start : start + step]
        of_some = torch.zeros(len(some), patch_count, dtype=torch.bool) if excluded is None else excluded[start:][:step]
        multiply(product, features.tokens[query], some.tokens, features.grid, limit, 2 * int(reaches[-1]))
        rows, columns = torch.empty(2, len(some), degree_count, patch_count)
        pooled_maxima(
            product.view(-1).numpy(),
            stride,
            *features.grid,
            max(features.grid) if limit is None else limit,
            reaches,
            features.scales[query].numpy(),
            own.numpy(),
            some.scales.numpy(),
            of_some.numpy(),
            rows.numpy(),
            columns.numpy(),
        )
        yield start, start + len(some), rows.transpose(0, 1), columns.transpose(0, 1)


def multiply(
    product: torch.Tensor,
    query: torch.Tensor,
    references: torch.Tensor,
    grid: Grid,
    match_radius: int | None,
    reach: int,
) -> None:
    """Products of one image's patches with those of several others, where a window with its neighbourhoods needs them.

    Args:
        product: float32 (P + 1, m · P or more), overwritten but for the last row.
        query: float32 (P, C).
        references: float32 (m, P, C).
        grid: patch rows and columns.
        match_radius: None is everywhere.
        reach: rows of patches beyond the window that are multiplied too.
    """
    image_count, patch_count, width = references.shape
    if match_radius is None:
        others = references.reshape(-1, width)
        multiply_into(query, others, product[:patch_count, : len(others)])
        return
    columns = grid[1]
    for start, stop, low, high in row_bands(grid, match_radius + reach):
        own, far = slice(start * columns, stop * columns), slice(low * columns, high * columns)
        for image in range(image_count):
            place = product[own, image * patch_count : (image + 1) * patch_count]
            multiply_into(query[own], references[image, far], place[:, far])
