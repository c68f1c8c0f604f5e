"""Checks of array arguments that several stages share; each names the argument and what was given."""

import torch

from musc.layers import Grid


def require_patches(name: str, values: torch.Tensor, grid: Grid, axes: tuple[str, ...]) -> None:
    """Refuse `values` whose axes are not the ones named, P second, or whose patch axis does not fill the grid.

    Raises:
        ValueError: if the number of axes differs, the grid is empty or P is not rows · columns.
    """
    rows, columns = grid
    if rows < 1 or columns < 1:
        raise ValueError(f"grid must hold two positive counts (rows, columns), got {grid}")
    if values.ndim != len(axes):
        raise ValueError(
            f"{name} must have the axes ({', '.join(axes)}), got shape {tuple(values.shape)}; reshape them first"
        )
    if values.shape[1] != rows * columns:
        raise ValueError(
            f"{name} must have one patch for each cell of the {rows} × {columns} grid "
            f"({rows * columns} on axis 1), got shape {tuple(values.shape)}; pass the grid the tokens were made with"
        )


def require_finite(name: str, values: torch.Tensor) -> None:
    """Refuse NaN and infinity: one such value would spread to every image of the lot.

    Raises:
        ValueError: naming the first images (axis 0) that hold such values.
    """
    # Extremes, which NaN passes into, need no copy, and the values may fill half the memory; `isfinite` makes one.
    bad = [] if extremes_finite(values) else [n for n, image in enumerate(values) if not extremes_finite(image)]
    if bad:
        raise ValueError(
            f"{name} must be finite, got NaN or infinity for {len(bad)} of {len(values)} images "
            f"(first at {bad[:5]}); leave these images out"
        )


def extremes_finite(values: torch.Tensor) -> bool:
    """Whether the least and the largest value, and so all, are finite."""
    return values.numel() == 0 or all(bool(extreme.isfinite()) for extreme in torch.aminmax(values))


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
