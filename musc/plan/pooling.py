"""Where one product with box sums is cheaper than a product for each degree: counted operations, and no other rule.

The count depends on the lot and the method alone, never on memory or on how work is divided, and so do the scores.
"""

from collections.abc import Sequence

from musc.kernels.window import window_on
from musc.layers import Grid, Layer, finest_grid
from musc.plan.partition import pair_products

ADDITION_COST = 10
"""Operations of a matrix product that take as long as one of a box sum, which waits for the cache; 7 to 11 were
measured (docs/performance.md)."""
SETUP_OPERATIONS = 5e11
"""Operations of matrix products that take as long as starting numba, some seconds: less is not worth saving."""


def pooled_layers(
    layers: Sequence[Layer], degrees: Sequence[int], *, pair_count: float, window: int | None = None
) -> frozenset[int]:
    """Numbers of the layers whose degrees are compared by one product; the others take a product for each degree.

    Args:
        layers: of the backbone.
        degrees: of LNAMD.
        pair_count: pairs of images that are multiplied.
        window: W, patches of the finest grid within which patches are matched; None is everywhere.
    """
    finest = finest_grid(layers)
    savings = {
        layer.number: pair_count * saved_operations(layer, degrees, window_on(layer.grid, window, finest))
        for layer in layers
    }
    saving = frozenset(number for number, saved in savings.items() if saved > 0)
    return saving if sum(savings[number] for number in saving) > SETUP_OPERATIONS else frozenset()


def saved_operations(layer: Layer, degrees: Sequence[int], window: int | None) -> float:
    """What one product with box sums saves for one pair of images; negative where it costs more.

    Args:
        layer: its grid and width.
        degrees: of LNAMD.
        window: in patches of the layer's own grid.
    """
    each = 2.0 * layer.width
    products = len(degrees) * pair_products(layer.grid, window) * each
    one_product = pair_products(layer.grid, product_window(window, degrees)) * each
    return products - one_product - ADDITION_COST * box_operations(layer.grid, degrees, window)


def product_window(window: int | None, degrees: Sequence[int]) -> int | None:
    """The window within which plain patches are multiplied: neighbourhoods reach beyond it in both images."""
    return None if window is None else window + 2 * (max(degrees) // 2)


def box_operations(grid: Grid, degrees: Sequence[int], window: int | None) -> float:
    """Additions, copies and comparisons that turn a product into the maxima of all degrees.

    For each product, one sum along query rows serves all degrees; each degree copies it, adds two neighbours a step
    along three axes, multiplies twice and compares twice. Rows of the reference grid lie apart by the largest reach.
    """
    rows, columns = grid
    reach = max(degrees) // 2
    of_degrees = sum(5 + 3 * 2 * (degree // 2) for degree in degrees)
    reference_rows = rows if window is None else min(rows, 2 * (window + reach) + 1)
    return rows * columns * reference_rows * (columns + reach) * (2 * reach + of_degrees)
