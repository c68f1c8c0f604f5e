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
    # Image by image: `isfinite` makes a copy of what it is given, and the values may fill half the memory.
    finite = torch.stack([torch.isfinite(image).all() for image in values])
    if not bool(finite.all()):
        bad = torch.nonzero(~finite).flatten().tolist()
        raise ValueError(
            f"{name} must be finite, got NaN or infinity for {len(bad)} of {len(values)} images "
            f"(first at {bad[:5]}); leave these images out"
        )
