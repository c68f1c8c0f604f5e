"""Match window for aligned parts: a patch is compared only with patches near its own position.

Boards and other aligned parts show the same place at the same patch, so a match from elsewhere is no evidence. Query
rows are multiplied in bands with the reference rows within reach; what of a band lies too far to the side is masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from musc.grids import effective_radius, row_bands
from musc.layers import Grid
from musc.option_ranges import require_match_radius


@dataclass(frozen=True)
class Band:
    """Query patches that are matched together, and the patches of a reference that hold all their candidates."""

    queries: slice
    references: slice
    far: torch.Tensor | None
    """Bool (query patches, reference patches), true beyond the window; None where everything is near."""


def window_bands(patch_count: int, match_radius: int | None, grid: Grid | None, device: torch.device) -> list[Band]:
    """The bands of one image pair; a single one that holds everything where there is no window.

    Args:
        patch_count: P.
        match_radius: W, largest distance in patches along rows and along columns; None is no limit.
        grid: patch rows and columns; needed with a window.
        device: where the masks are used.

    Raises:
        ValueError: if the match_radius is negative, or the grid is missing or not one of P patches.
    """
    if match_radius is None:
        return [Band(slice(0, patch_count), slice(0, patch_count), None)]
    require_match_radius(match_radius)
    if grid is None or grid[0] * grid[1] != patch_count:
        raise ValueError(
            f"grid must give the rows and columns of {patch_count} patches where there is a match_radius, got {grid}"
        )
    match_radius = effective_radius(match_radius, grid)
    if match_radius is None:
        return window_bands(patch_count, None, None, device)
    columns = grid[1]
    return [
        Band(
            slice(start * columns, stop * columns),
            slice(low * columns, high * columns),
            beyond(range(start, stop), range(low, high), columns, match_radius, device),
        )
        for start, stop, low, high in row_bands(grid, match_radius)
    ]


def beyond(
    rows: Sequence[int], others: Sequence[int], columns: int, match_radius: int, device: torch.device
) -> torch.Tensor:
    """Whether patches of `others` rows lie beyond the window of patches of `rows`: bool, patches by patches."""
    across = torch.arange(columns, device=device)
    far_rows = far_positions(torch.tensor(rows, device=device), torch.tensor(others, device=device), match_radius)
    far_columns = far_positions(across, across, match_radius)
    far = far_rows[:, None, :, None] | far_columns[None, :, None, :]
    return far.reshape(len(rows) * columns, len(others) * columns)


def far_positions(left: torch.Tensor, right: torch.Tensor, match_radius: int) -> torch.Tensor:
    """Which positions are more than a window from each other: bool (left, right)."""
    return (left[:, None] - right[None, :]).abs() > match_radius
