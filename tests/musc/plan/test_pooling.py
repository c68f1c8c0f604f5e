"""One product for all degrees is chosen where it takes fewer counted operations, and for enough of them."""

import pytest

from musc.layers import Layer
from musc.plan.layer_comparison import LayerComparison
from musc.plan.pooling import (
    ADDITION_COST,
    SETUP_OPERATIONS,
    box_operations,
    compare_layers,
    product_radius,
    saved_operations,
)

MANY = 1e9
GRID = (14, 14)


def compared(layer: Layer, degrees: tuple[int, ...] = (1, 3), match_radius: int | None = None) -> LayerComparison:
    return LayerComparison(layer, degrees, match_radius=match_radius)


def pooled_of(
    layers: list[Layer], degrees: tuple[int, ...], pair_count: float = MANY, match_radius: int | None = None
) -> set[int]:
    """Numbers of the layers that are pooled."""
    made = compare_layers(layers, degrees, pair_count=pair_count, match_radius=match_radius)
    assert all(one.degrees == tuple(sorted(degrees)) for one in made)
    assert all((one.device == "cpu") is one.pooled for one in made)
    return {one.layer.number for one in made if one.pooled}


def looped_box_operations(grid: tuple[int, int], degrees: tuple[int, ...]) -> int:
    """Every addition, copy, product and comparison, counted one by one, gaps between the rows included."""
    count, largest = 0, max(degrees) // 2
    for _query in range(grid[0] * grid[1]):
        for _reference in range(grid[0] * (grid[1] + largest)):
            for _step in range(largest):
                count += 2
            for degree in degrees:
                count += 1
                for _axis in ("query columns", "reference rows", "reference columns"):
                    for _step in range(degree // 2):
                        count += 2
                count += 4
    return count


@pytest.mark.parametrize("degrees", [(1,), (1, 3), (3, 1, 7)])
def test_box_operations_are_counted(degrees: tuple[int, ...]) -> None:
    assert box_operations((3, 5), degrees, None) == looped_box_operations((3, 5), degrees)


@pytest.mark.parametrize("degrees", [(1, 3), (1, 3, 5), (1, 3, 5, 7)])
@pytest.mark.parametrize("grid", [(10, 10), (14, 14), (20, 40)])
def test_pooled_layers_change_at_the_width_where_both_ways_cost_the_same(
    grid: tuple[int, int], degrees: tuple[int, ...]
) -> None:
    patch_count = grid[0] * grid[1]
    width = ADDITION_COST * box_operations(grid, degrees, None) / (2 * (len(degrees) - 1) * patch_count**2)
    below, above = Layer(0, grid, int(width)), Layer(1, grid, int(width) + 1)
    assert pooled_of([below, above], degrees) == {1}


def test_pooled_layers_change_at_the_number_of_pairs_that_pays_for_starting_numba() -> None:
    layers = [Layer(number, GRID, 768) for number in (5, 11)]
    pairs = SETUP_OPERATIONS / sum(saved_operations(compared(layer, (1, 3, 5), None)) for layer in layers)
    assert pooled_of(layers, (1, 3, 5), pairs * 0.999) == set()
    assert pooled_of(layers, (1, 3, 5), pairs * 1.001) == {5, 11}
    assert pooled_of(layers[:1], (1, 3, 5), pairs * 1.001) == set()


def test_pooled_layers_do_not_pay_for_others_that_lose() -> None:
    narrow, wide = Layer(2, (40, 40), 40), Layer(4, (10, 10), 320)
    pairs = 1.001 * SETUP_OPERATIONS / saved_operations(compared(wide, (1, 3), None))
    assert saved_operations(compared(narrow, (1, 3), None)) < 0
    assert pooled_of([narrow, wide], (1, 3), pairs) == {4}


def test_one_degree_is_never_pooled() -> None:
    assert pooled_of([Layer(0, GRID, 4096)], (5,)) == set()


def test_saved_operations_of_windows_multiply_more_rows_than_are_matched() -> None:
    assert product_radius(3, (1, 5, 3)) == 7
    assert product_radius(None, (1, 5)) is None
    layer = Layer(0, (37, 37), 1024)
    saved = [saved_operations(compared(layer, (1, 3, 5), match_radius)) for match_radius in (1, 8, None)]
    assert saved == sorted(saved)
    whole = saved_operations(compared(layer, (1, 3, 5), 36))
    assert whole == pytest.approx(saved_operations(compared(layer, (1, 3, 5), None)))


def test_pooled_layers_count_windows_in_each_layers_own_patches() -> None:
    fine, coarse = Layer(0, (40, 40), 700), Layer(1, (20, 20), 700)
    savings = [saved_operations(compared(fine, (1, 3), 4)), saved_operations(compared(coarse, (1, 3), 2))]
    expected = {number for number, saved in enumerate(savings) if saved > 0}
    assert pooled_of([fine, coarse], (1, 3), match_radius=4) == expected


def test_compared_layers_are_masked_by_a_radius_that_limits_them_or_by_exclusions() -> None:
    layers = [Layer(0, (40, 40), 7), Layer(1, (4, 4), 7)]
    near = compare_layers(layers, (3, 1), pair_count=1, match_radius=30, device="cuda:1", poolable=False)
    assert [(one.match_radius, one.masked, one.device) for one in near] == [
        (30, True, "cuda:1"),
        (None, False, "cuda:1"),
    ]
    assert [one.masked for one in compare_layers(layers, (1,), pair_count=1, excluding=True)] == [True, True]
    assert [one.passes for one in near] == [((1,), (3,))] * 2


def test_compared_layers_are_never_pooled_on_a_gpu() -> None:
    wide = Layer(0, GRID, 4096)
    assert [compare_layers([wide], (1, 3), pair_count=MANY, poolable=on)[0].pooled for on in (True, False)] == [
        True,
        False,
    ]
