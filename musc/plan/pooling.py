"""Where one product with box sums is cheaper than a product for each degree: counted operations, and no other rule.

The count depends on the lot and the method alone, never on memory or on how work is divided, and so do the scores.
"""

from collections.abc import Sequence

from musc.grids import radius_on
from musc.layers import Grid, Layer, finest_grid
from musc.plan.partition import pair_products

ADDITION_COST = 10
"""Operations of a matrix product that take as long as one of a box sum, which waits for the cache; 7 to 11 were
measured (docs/performance.md)."""
SETUP_OPERATIONS = 5e11
"""Operations of matrix products that take as long as starting numba, some seconds: less is not worth saving."""


def pooled_layers(
    layers: Sequence[Layer], degrees: Sequence[int], *, pair_count: float, match_radius: int | None = None
) -> frozenset[int]:
    """Numbers of the layers whose degrees are compared by one product; the others take a product for each degree.

    Args:
        layers: of the backbone.
        degrees: of LNAMD.
        pair_count: pairs of images that are multiplied.
        match_radius: W, patches of the finest grid within which patches are matched; None is everywhere.
    """
    finest = finest_grid(layers)
    savings = {
        layer.number: pair_count * saved_operations(layer, degrees, radius_on(layer.grid, match_radius, finest))
        for layer in layers
    }
    saving = frozenset(number for number, saved in savings.items() if saved > 0)
    return saving if sum(savings[number] for number in saving) > SETUP_OPERATIONS else frozenset()


def saved_operations(layer: Layer, degrees: Sequence[int], match_radius: int | None) -> float:
    """What one product with box sums saves for one pair of images; negative where it costs more.

    Args:
        layer: its grid and width.
        degrees: of LNAMD.
        match_radius: in patches of the layer's own grid.
    """
    return pair_operations(layer, degrees, match_radius, pooled=False) - pair_operations(
        layer, degrees, match_radius, pooled=True
    )


def pair_operations(layer: Layer, degrees: Sequence[int], match_radius: int | None, *, pooled: bool) -> float:
    """Multiplications and additions of one pair of images, those of box sums counted `ADDITION_COST` times.

    Args:
        layer: see `saved_operations`, and so are degrees and match_radius.
        degrees: see layer.
        match_radius: see layer.
        pooled: whether one product serves all degrees.
    """
    each = 2.0 * layer.width
    if not pooled:
        return len(degrees) * pair_products(layer.grid, match_radius) * each
    one_product = pair_products(layer.grid, product_radius(match_radius, degrees)) * each
    return one_product + ADDITION_COST * box_operations(layer.grid, degrees, match_radius)


def product_radius(match_radius: int | None, degrees: Sequence[int]) -> int | None:
    """The window within which plain patches are multiplied: neighbourhoods reach beyond it in both images."""
    return None if match_radius is None else match_radius + 2 * (max(degrees) // 2)


def box_operations(grid: Grid, degrees: Sequence[int], match_radius: int | None) -> float:
    """Additions, copies and comparisons that turn a product into the maxima of all degrees.

    For each product, one sum along query rows serves all degrees; each degree copies it, adds two neighbours a step
    along three axes, multiplies twice and compares twice. Rows of the reference grid lie apart by the largest reach.
    """
    rows, columns = grid
    reach = max(degrees) // 2
    of_degrees = sum(5 + 3 * 2 * (degree // 2) for degree in degrees)
    reference_rows = rows if match_radius is None else min(rows, 2 * (match_radius + reach) + 1)
    return rows * columns * reference_rows * (columns + reach) * (2 * reach + of_degrees)
