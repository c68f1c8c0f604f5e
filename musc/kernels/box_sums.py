"""Row and column maxima of the similarities of pooled patches, for all degrees, from one product of plain patches.

A pooled patch of degree r is the sum of its r × r neighbourhood, divided by its length. So the similarity of two of
them is the sum of the plain products over both neighbourhoods, r⁴ terms, divided by both lengths. It is summed along
one axis after the other: query rows, query columns, reference rows, reference columns. Only a few query columns are
held at a time, so that all sums stay in the CPU's cache.

Sums over the reference grid are made on *planes*: rows of reference patches with as many zeros between them as a
neighbourhood reaches, and margins of zeros, so that neighbours outside the grid are zeros without any test.

Importing this module compiles it, or loads what was compiled before (`musc.kernels.compiled`).
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from musc.kernels.compiled import compiled

OPTIONS: Any = {"nogil": True, "error_model": "numpy", "fastmath": {"nnan", "nsz", "reassoc", "contract"}}
"""Sums may be made in any order; NaN is never met, for features are checked before, infinity may be."""
inlined: Any = numba.njit(**OPTIONS)

PLACE: Any = np.uint64  # unsigned: numba need not ask whether an index counts from the end, and LLVM can use vectors
LOWEST: Any = np.float32(-np.inf)

ZEROS, ACROSS, BELOW, BESIDE, COLUMNS = range(5)
"""Planes: of zeros; sums along query columns, along reference rows too, along all axes; from `COLUMNS` on those of the
query columns at hand, summed along query rows, `depth` for each degree."""

FUSED_REACH = 2
"""Up to this reach the last sums are made where their maxima are taken, and never stored."""


@intrinsic
def larger(_context: Any, left: Any, right: Any) -> Any:
    """The larger of two float32 values as one vector instruction.

    From `max` or a comparison LLVM makes masked stores and scalar reductions, up to five times as slow with AVX2.
    """

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.FloatType(), [ir.FloatType(), ir.FloatType()])
        function = builder.module.declare_intrinsic("llvm.maxnum", [ir.FloatType()], kind)
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return types.float32(types.float32, types.float32), generate


@inlined
def add_three(
    total: np.ndarray, at: int, first: np.ndarray, middle: int, others: np.ndarray, left: int, right: int, count: int
) -> None:
    """Add `count` values from each of three places."""
    at, middle, left, right, count = PLACE(at), PLACE(middle), PLACE(left), PLACE(right), PLACE(count)
    for n in range(count):
        total[at + n] = first[middle + n] + others[left + n] + others[right + n]


@inlined
def add_five(planes: np.ndarray, at: int, middle: int, near: tuple[int, int], far: tuple[int, int], count: int) -> None:
    """Add `count` values from each of five places; one pass takes less time than two of `add_three`."""
    at, middle, left, right, count = PLACE(at), PLACE(middle), PLACE(near[0]), PLACE(near[1]), PLACE(count)
    far_left, far_right = PLACE(far[0]), PLACE(far[1])
    for n in range(count):
        three = planes[middle + n] + (planes[left + n] + planes[right + n])
        planes[at + n] = three + (planes[far_left + n] + planes[far_right + n])


@inlined
def widen(planes: np.ndarray, at: int, values: np.ndarray, start: int, rows: int, columns: int, wide: int) -> None:
    """Copy rows of reference patches, which follow each other in `values`, to a plane, where they lie `wide` apart."""
    at, start, columns, wide = PLACE(at), PLACE(start), PLACE(columns), PLACE(wide)
    for _ in range(rows):
        for n in range(columns):
            planes[at + n] = values[start + n]
        at += wide
        start += columns


@inlined
def fold(
    reach: int, planes: np.ndarray, at: int, factors: np.ndarray, places: Any, scale: float, penalty: float, count: int
) -> float:
    """The row maximum of `count` sums along reference columns; column maxima are raised in place.

    Each still lacks its own patch's scale. The places in the factors are those of scales, penalties and maxima. The
    reach is 0, 1 or 2; LLVM takes the choice out of the loop.
    """
    at, scales, penalties, maxima, count = PLACE(at), PLACE(places[0]), PLACE(places[1]), PLACE(places[2]), PLACE(count)
    best, near, far = LOWEST, PLACE(1), PLACE(2)
    for n in range(count):
        total = planes[at + n]
        if reach >= 1:
            total += planes[at + n - near] + planes[at + n + near]
        if reach == FUSED_REACH:
            total += planes[at + n - far] + planes[at + n + far]
        best = larger(best, total * factors[scales + n] + factors[penalties + n])
        factors[maxima + n] = larger(factors[maxima + n], total * scale + penalty)
    return best


@inlined
def sum_along(planes: np.ndarray, at: int, source: int, apart: int, reach: int, count: int) -> None:
    """Add to each of `count` sums its neighbours on both sides, `apart` from each other, as far as a degree reaches."""
    middle, step = source, 1
    while step < reach:
        near, far = step * apart, (step + 1) * apart
        add_five(planes, at, middle, (source - near, source + near), (source - far, source + far), count)
        middle, step = at, step + 2
    if step == reach:
        add_three(planes, at, planes, middle, planes, source - step * apart, source + step * apart, count)


@inlined
def enter_column(
    planes: np.ndarray,
    at: int,
    between: int,
    product: np.ndarray,
    start: int,
    away: int,
    sums: np.ndarray,
    row: int,
    rows: int,
    columns: int,
    reaches: np.ndarray,
    reference_rows: int,
) -> None:
    """Sum the products of one query column along query rows and put them on a plane for each degree.

    Args:
        planes: where they are put, from place `at` on, planes of one degree and the next `between` apart.
        at: see planes.
        between: see planes.
        product: as in `pooled_maxima`.
        start: where the products of the query patch with the first reference row to be summed are.
        away: places in the product from one query row to the next.
        sums: room for one row of products.
        row: of the query patch.
        rows: of the grid.
        columns: of the grid.
        reaches: of the degrees.
        reference_rows: how many are summed.
    """
    nothing, count = away * rows, reference_rows * columns
    step = 0
    for degree in range(len(reaches)):
        while step < reaches[degree]:  # each degree goes on where the smaller one ended
            step += 1
            above = start - step * away if row >= step else nothing
            below = start + step * away if row + step < rows else nothing
            if step == 1:
                add_three(sums, 0, product, start, product, above, below, count)
            else:
                add_three(sums, 0, sums, 0, product, above, below, count)
        if step == 0:
            widen(planes, at + degree * between, product, start, reference_rows, columns, columns + reaches[-1])
        else:
            widen(planes, at + degree * between, sums, 0, reference_rows, columns, columns + reaches[-1])


@inlined
def plane_of(at: int, held: int, size: int, depth: int, column: int, columns: int) -> int:
    """The place of a query column's plane, of zeros outside the grid."""
    return held + column % depth * size if 0 <= column < columns else at - ACROSS * size


@inlined
def sum_across(
    planes: np.ndarray, at: int, held: int, size: int, depth: int, column: int, columns: int, reach: int, count: int
) -> None:
    """Sum the planes of the query columns around one; `depth` of them are held in turn, the first at place `held`."""
    middle, step = held + column % depth * size, 1
    while step <= reach:
        left = plane_of(at, held, size, depth, column - step, columns)
        right = plane_of(at, held, size, depth, column + step, columns)
        if step < reach:
            far_left = plane_of(at, held, size, depth, column - step - 1, columns)
            far_right = plane_of(at, held, size, depth, column + step + 1, columns)
            add_five(planes, at, middle, (left, right), (far_left, far_right), count)
        else:
            add_three(planes, at, planes, middle, planes, left, right, count)
        middle, step = at, step + 2


@inlined
def set_factors(
    factors: np.ndarray, scales: np.ndarray, excluded: np.ndarray, rows: int, columns: int, wide: int
) -> None:
    """Put a reference's penalties, 0 or −inf, and scales on planes without margins, and let column maxima begin."""
    factors[:] = LOWEST
    for patch in range(rows * columns):
        place = patch // columns * wide + patch % columns
        if not excluded[patch]:
            factors[place] = 0
        for degree in range(len(scales)):
            factors[(1 + degree) * rows * wide + place] = scales[degree, patch]
    for degree in range(len(scales)):
        for place in range(rows * wide):  # between the rows, where the penalty decides
            if place % wide >= columns:
                factors[(1 + degree) * rows * wide + place] = 0


@compiled(
    "void(float32[::1], int64, int64, int64, int64, int64[::1], float32[:, ::1], boolean[::1], float32[:, :, ::1],"
    "boolean[:, ::1], float32[:, :, ::1], float32[:, :, ::1])"
)
def pooled_maxima(
    product: np.ndarray,
    stride: int,
    rows: int,
    columns: int,
    match_radius: int,
    reaches: np.ndarray,
    query_scales: np.ndarray,
    query_excluded: np.ndarray,
    scales: np.ndarray,
    excluded: np.ndarray,
    row_maxima: np.ndarray,
    column_maxima: np.ndarray,
) -> None:
    """Largest similarities of one image's pooled patches to those of m others, in both directions, at D degrees.

    Args:
        product: float32, flat, P + 1 rows of `stride` values: products of each query patch with the P patches of every
            reference, one reference after the other, and at last a row of zeros.
        stride: values from one row to the next, at least m · P.
        rows: of the grid.
        columns: of the grid, P = rows · columns.
        match_radius: patches along rows and along columns within which patches are matched; products of patches up to
            `match_radius` plus twice the largest reach of rows apart are read.
        reaches: int64 (D,), growing: how many patches each degree reaches to every side, r // 2.
        query_scales: float32 (D, P), one over the lengths of the query's sums.
        query_excluded: bool (P,), query patches that no reference patch may match.
        scales: float32 (m, D, P), as `query_scales`, of the references.
        excluded: bool (m, P), reference patches that no query patch may match.
        row_maxima: float32 (m, D, P), written: of each query patch; −inf where none may be matched.
        column_maxima: float32 (m, D, P), written: of each reference patch.
    """
    degrees, reach = len(reaches), reaches[-1]
    wide, depth = columns + reach, 2 * reach + 1
    plane, margin = rows * wide, reach * wide + reach
    size = plane + 2 * margin
    planes = np.zeros((COLUMNS + degrees * depth) * size, np.float32)
    sums = np.empty(rows * columns, np.float32)
    factors = np.empty((1 + 2 * degrees) * plane, np.float32)
    for reference in range(len(scales)):
        set_factors(factors, scales[reference], excluded[reference], rows, columns, wide)
        for row in range(rows):
            # Reference rows that may be matched,
            top, bottom = max(0, row - match_radius), min(rows, row + match_radius + 1)
            high, low = max(0, top - reach), min(rows, bottom + reach)  # and those that their sums reach
            for entering in range(columns + reach):
                if entering < columns:
                    at = margin + (COLUMNS + entering % depth) * size + high * wide
                    start = (row * columns + entering) * stride + reference * rows * columns + high * columns
                    away = columns * stride
                    enter_column(
                        planes, at, depth * size, product, start, away, sums, row, rows, columns, reaches, low - high
                    )
                column = entering - reach
                if column < 0:
                    continue
                patch = row * columns + column
                left, right = max(0, column - match_radius), min(columns, column + match_radius + 1)
                for degree in range(degrees):
                    held = margin + (COLUMNS + degree * depth) * size
                    source, fused = held + column % depth * size, 0
                    if reaches[degree] > 0:
                        across, below, source = margin + ACROSS * size, margin + BELOW * size, margin + BESIDE * size
                        at, first, count = across + high * wide, held + high * wide, (low - high) * wide
                        sum_across(planes, at, first, size, depth, column, columns, reaches[degree], count)
                        count = (bottom - top) * wide
                        sum_along(planes, below + top * wide, across + top * wide, wide, reaches[degree], count)
                        if reaches[degree] > FUSED_REACH:
                            sum_along(planes, source + top * wide, below + top * wide, 1, reaches[degree], count)
                        else:
                            source, fused = below, reaches[degree]
                    scale, best = query_scales[degree, patch], LOWEST
                    penalty = LOWEST if query_excluded[patch] else np.float32(0)
                    scaled, maxima = (1 + degree) * plane, (1 + degrees + degree) * plane
                    whole = right - left == columns
                    for run in range(1 if whole else bottom - top):  # without a window at once, else row by row
                        place = (top + run) * wide + left
                        count = (bottom - top) * wide if whole else right - left
                        places = scaled + place, place, maxima + place
                        found = fold(fused, planes, source + place, factors, places, scale, penalty, count)
                        best = larger(best, found)
                    row_maxima[reference, degree, patch] = best * scale if best > LOWEST else LOWEST
        for patch in range(rows * columns):
            place = patch // columns * wide + patch % columns
            for degree in range(degrees):
                best = factors[(1 + degrees + degree) * plane + place]
                scale = scales[reference, degree, patch]
                column_maxima[reference, degree, patch] = best * scale if best > LOWEST else LOWEST
