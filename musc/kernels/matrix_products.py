"""Nearest patches of images by matrix products of their vectors, in pieces that fit the CPU's cache.

One product serves both images of a pair: its row maxima are the nearest patches of the first, its column maxima those
of the second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil

import torch

from musc.grids import PRODUCT_COLUMNS
from musc.kernels.match_window import Band, window_bands
from musc.kernels.precision import multiply, product_dtype
from musc.threads import Scratch, for_each

NARROW = 256
"""Widest patch tokens whose products are made in blocks of rows: writing a whole product to memory and reading it again
for the maxima takes longer there than making it."""
ROWS_OF_NARROW = 400
"""Most query patches of such a block, which with `PRODUCT_COLUMNS` stays near the CPU."""

Product = tuple[int, int, Band, torch.Tensor]
"""References start, stop, the band of patches, and similarities (stop − start, query patches, reference patches)."""


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
    scratch = Scratch()

    def visit(query: int) -> None:
        for start, stop, band, product in products(features[query], features, query + 1, bands, scratch):
            rows = cols = product
            if excluded is not None:
                rows = without(product, excluded[start:stop, None, band.references])
                cols = without(product, excluded[None, query, band.queries, None])
            nearest[query, start:stop, band.queries] = rows.amax(dim=2)
            found = nearest[start:stop, query, band.references]
            torch.maximum(found, column_maxima(cols), out=found)  # a patch is within reach of several bands

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
    scratch = Scratch()

    def visit(query: int) -> None:
        for start, stop, band, product in products(queries[query], references, 0, bands, scratch):
            allowed = product if excluded is None else without(product, excluded[start:stop, None, band.references])
            nearest[query, start:stop, band.queries] = allowed.amax(dim=2)

    for_each(visit, range(len(queries)), queries.device)


def products(
    query: torch.Tensor, references: torch.Tensor, first: int, bands: Sequence[Band], scratch: Scratch
) -> Iterable[Product]:
    """Similarities of one image's patches to those of the references from `first` on, a few images at a time.

    Args:
        query: float (P, C).
        references: float (m, P, C), contiguous, of the same dtype.
        first: the first reference to visit.
        bands: which patches are matched with which; similarities beyond a window are −inf.
        scratch: where products may be put.

    Yields:
        A `Product`; the tensor is overwritten by the next step.
    """
    for band in bands:
        if band.far is None:
            yield from whole_products(query, references, first, band, scratch)
        else:
            yield from near_products(query, references, first, band, band.far)


def whole_products(
    query: torch.Tensor, references: torch.Tensor, first: int, band: Band, scratch: Scratch
) -> Iterable[Product]:
    """All patches with all patches: products side by side for several references, a block of query rows at a time."""
    reference_count, patch_count, width = references.shape
    step = max(1, min(PRODUCT_COLUMNS // patch_count, reference_count - first))
    height = ceil(patch_count / ceil(patch_count / ROWS_OF_NARROW)) if width <= NARROW else patch_count
    for start in range(first, reference_count, step):
        stop = min(start + step, reference_count)
        others = references[start:stop].reshape(-1, width)
        for top in range(0, len(query), height):
            rows = query[top : top + height]
            product = multiply(rows, others, scratch)
            block = replace(band, queries=slice(top, top + len(rows)))
            yield start, stop, block, product.unflatten(1, (stop - start, patch_count)).transpose(0, 1)


def near_products(
    query: torch.Tensor, references: torch.Tensor, first: int, band: Band, far: torch.Tensor
) -> Iterable[Product]:
    """A band of query rows with the rows in reach, which are not copied: one product per reference, all in one call."""
    dtype = product_dtype(query.dtype)
    rows = query[band.queries].to(dtype)
    step = max(1, PRODUCT_COLUMNS // far.shape[1])
    for start in range(first, len(references), step):
        near = references[start : start + step, band.references].to(dtype)
        product = torch.bmm(rows.expand(len(near), *rows.shape), near.transpose(1, 2))
        yield start, start + len(near), band, product.masked_fill_(far, -torch.inf)


def column_maxima(product: torch.Tensor) -> torch.Tensor:
    """The largest similarity of each reference patch in a `Product`, float (references, reference patches)."""
    if product.dtype == torch.float32 and product.device.type == "cpu":  # numpy takes two thirds of torch's time
        return torch.from_numpy(product.numpy().max(axis=1))
    return product.amax(dim=1)


def without(product: torch.Tensor, excluded: torch.Tensor) -> torch.Tensor:
    """The similarities of a `Product` with the excluded entries, a mask that broadcasts, below every similarity."""
    return product.masked_fill(excluded, -torch.inf) if excluded.any() else product
