"""Where one product with box sums is cheaper than a product for each degree: counted operations, and no other rule.

The count depends on the lot and the method alone, never on memory or on how work is divided, and so do the scores.
"""

from collections.abc import Sequence
from dataclasses import replace

from musc.grids import radius_on
from musc.layers import Grid, Layer, finest_grid
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shard_memory import pair_products

ADDITION_COST = 10
"""Operations of a matrix product that take as long as one of a box sum, which waits for the cache; 7 to 11 were
measured (docs/performance.md)."""
SETUP_OPERATIONS = 5e11
"""Operations of matrix products that take as long as starting numba, some seconds: less is not worth saving."""


def compare_layers(
    layers: Sequence[Layer],
    degrees: Sequence[int],
    *,
    pair_count: float,
    match_radius: int | None = None,
    device: str = "auto",
    poolable: bool = True,
    excluding: bool = False,
) -> tuple[LayerComparison, ...]:
    """How the images of each layer are compared, in the order of the layers.

    Args:
        layers: of the backbone.
        degrees: of LNAMD, in any order.
        pair_count: pairs of images that are multiplied.
        match_radius: W, patches of the finest grid within which patches are matched; None is everywhere.
        device: where they are compared.
        poolable: whether that is a CPU, where alone degrees are compared by one product.
        excluding: whether patches are excluded from being matched besides those beyond the radius.
    """
    finest, growing = finest_grid(layers), tuple(sorted(degrees))
    separate = []
    for layer in layers:
        radius = radius_on(layer.grid, match_radius, finest)
        masked = excluding or radius is not None
        separate.append(LayerComparison(layer, growing, match_radius=radius, masked=masked, device=device))
    pooled = pooled_layers(separate, pair_count) if poolable else frozenset()
    return tuple(
        replace(comparison, pooled=True, device="cpu") if comparison.layer.number in pooled else comparison
        for comparison in separate
    )


def pooled_layers(separate: Sequence[LayerComparison], pair_count: float) -> frozenset[int]:
    """Numbers of the layers whose degrees are compared by one product; the others take a product for each degree.

    Args:
        separate: the layers, compared degree by degree.
        pair_count: pairs of images that are multiplied.
    """
    savings = {comparison.layer.number: pair_count * saved_operations(comparison) for comparison in separate}
    saving = frozenset(number for number, saved in savings.items() if saved > 0)
    return saving if sum(savings[number] for number in saving) > SETUP_OPERATIONS else frozenset()


def saved_operations(comparison: LayerComparison) -> float:
    """What one product with box sums saves for one pair of images; negative where it costs more."""
    separate, pooled = replace(comparison, pooled=False), replace(comparison, pooled=True)
    return pair_operations(separate) - pair_operations(pooled)


def pair_operations(comparison: LayerComparison) -> float:
    """Multiplications and additions of one pair of images, those of box sums counted `ADDITION_COST` times."""
    grid, degrees, radius = comparison.grid, comparison.degrees, comparison.match_radius
    each = 2.0 * comparison.layer.width
    if not comparison.pooled:
        return len(degrees) * pair_products(grid, radius) * each
    one_product = pair_products(grid, product_radius(radius, degrees)) * each
    return one_product + ADDITION_COST * box_operations(grid, degrees, radius)


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
