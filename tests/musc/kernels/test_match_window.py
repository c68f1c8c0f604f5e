"""The window on the grid of a layer: as wide as on the finest grid, and never narrower."""

from itertools import product

import pytest

from musc.grids import radius_on
from musc.layers import Grid, patch_on

FINEST = (12, 20)


@pytest.mark.parametrize(
    ("grid", "match_radius", "expected"),
    [
        ((6, 10), 4, 2),
        ((6, 10), 5, 3),
        ((6, 10), 0, 0),
        ((3, 5), 1, 1),
        ((6, 20), 3, 3),  # the columns are as fine as those of the window
        ((12, 10), 5, 5),
    ],
)
def test_window_on_a_coarser_grid_is_rounded_up(grid: Grid, match_radius: int, expected: int) -> None:
    assert radius_on(grid, match_radius, FINEST) == expected


@pytest.mark.parametrize("match_radius", [0, 1, 5, 18])
def test_window_on_the_finest_grid_is_the_window(match_radius: int) -> None:
    assert radius_on(FINEST, match_radius, FINEST) == match_radius


@pytest.mark.parametrize(("grid", "match_radius"), [(FINEST, 19), ((6, 10), 17), ((1, 1), 0), ((3, 5), 100)])
def test_window_on_a_grid_that_it_covers_is_none(grid: Grid, match_radius: int) -> None:
    assert radius_on(grid, match_radius, FINEST) is None


def test_window_on_any_grid_is_none_where_there_is_none() -> None:
    assert [radius_on(grid, None, FINEST) for grid in (FINEST, (3, 5))] == [None, None]


@pytest.mark.parametrize(("grid", "match_radius"), [((6, 10), 3), ((5, 7), 2), ((3, 5), 1), ((12, 9), 4)])
def test_window_on_a_coarser_grid_reaches_what_the_finest_reaches(grid: Grid, match_radius: int) -> None:
    found = radius_on(grid, match_radius, FINEST)
    assert found is not None
    for one, other in product(product(range(FINEST[0]), range(FINEST[1])), repeat=2):
        if max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= match_radius:
            places = [divmod(patch_on(row * FINEST[1] + column, FINEST, grid), grid[1]) for row, column in (one, other)]
            assert max(abs(places[0][0] - places[1][0]), abs(places[0][1] - places[1][1])) <= found
