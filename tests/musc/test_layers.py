"""Layers of a backbone: which grid is the finest, where a patch lies on another grid, and which layer is the middle."""

from fractions import Fraction

import pytest

from musc.layers import Grid, Layer, finest_grid, middle_layer, patch_on


@pytest.mark.parametrize(
    ("grids", "expected"),
    [
        ([(3, 5)], (3, 5)),
        ([(12, 20), (6, 10), (3, 5)], (12, 20)),
        ([(3, 5), (12, 20)], (12, 20)),
        ([(2, 9), (7, 4)], (7, 9)),
    ],
)
def test_finest_grid_has_the_most_rows_and_columns(grids: list[Grid], expected: Grid) -> None:
    assert finest_grid([Layer(number, grid, 11) for number, grid in enumerate(grids)]) == expected


def holding(place: Fraction, count: int) -> int:
    """Which of `count` equal parts of [0, 1) holds a place."""
    (found,) = [part for part in range(count) if Fraction(part, count) <= place < Fraction(part + 1, count)]
    return found


@pytest.mark.parametrize(
    ("grid", "other"), [((3, 5), (2, 2)), ((2, 2), (3, 5)), ((6, 4), (3, 2)), ((3, 2), (6, 4)), ((1, 7), (5, 3))]
)
def test_patch_on_holds_the_centre_of_the_patch(grid: Grid, other: Grid) -> None:
    expected = [
        holding(Fraction(2 * row + 1, 2 * grid[0]), other[0]) * other[1]
        + holding(Fraction(2 * column + 1, 2 * grid[1]), other[1])
        for row in range(grid[0])
        for column in range(grid[1])
    ]
    assert [patch_on(patch, grid, other) for patch in range(grid[0] * grid[1])] == expected


def test_patch_on_the_same_grid_is_the_patch() -> None:
    assert [patch_on(patch, (3, 5), (3, 5)) for patch in range(15)] == list(range(15))


@pytest.mark.parametrize(("count", "middle"), [(1, 0), (2, 0), (3, 1), (4, 2), (5, 2)])
def test_middle_layer_is_never_the_last_of_several(count: int, middle: int) -> None:
    layers = [Layer(5 * number, (8, 8), 11) for number in range(count)]
    assert middle_layer(layers) is layers[middle]
