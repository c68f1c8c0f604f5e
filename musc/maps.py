"""From patch scores on the grid to anomaly maps in pixels and one score per image (MuSc, ICLR 2024, section 3.1).

Patches outside of a region of interest are NaN. Pixels between patches get the bilinear mean of those inside, and 0, an
empty map, where fewer than `MIN_WEIGHT` of the weights belong to patches inside.
"""

import numpy as np
import torch
import torch.nn.functional as F

from musc.array_checks import require_patches
from musc.layers import Grid
from musc.region import MIN_WEIGHT


def anomaly_maps(patch_scores: torch.Tensor, grid: Grid, size: tuple[int, int]) -> torch.Tensor:
    """Resize patch scores bilinearly to pixels; the corner patches' centres become the corner pixels.

    Args:
        patch_scores: (N, P), NaN outside of a region of interest.
        grid: patch rows and columns, P = rows · columns.
        size: height and width of the maps in pixels.

    Returns:
        Float32 (N, H, W), in the range of the patch scores; 0 outside of the region.

    Raises:
        ValueError: if there are not two axes or the grid does not fit P.
    """
    require_patches("patch_scores", patch_scores, grid, ("N", "P"))
    if bool(patch_scores.isnan().any()):
        return means_inside(patch_scores, grid, size, MIN_WEIGHT).nan_to_num(nan=0.0)
    return resized(patch_scores, grid, size)


def resized(values: torch.Tensor, grid: Grid, size: tuple[int, int]) -> torch.Tensor:
    """Values of patches (N, P) resized bilinearly: float32 (N, H, W)."""
    cells = values.float().view(-1, 1, *grid)
    return F.interpolate(cells, size=tuple(size), mode="bilinear", align_corners=True)[:, 0]


def maps_of_run(patch_scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Anomaly maps of patch scores as a run keeps them.

    Args:
        patch_scores: float (N, rows, columns).
        size: height and width of the maps in pixels.

    Returns:
        Float32 (N, H, W), as `anomaly_maps` gives them.
    """
    rows, columns = patch_scores.shape[1:]
    flat = torch.from_numpy(np.asarray(patch_scores, dtype=np.float32)).flatten(1)
    return anomaly_maps(flat, (rows, columns), size).numpy()


def map_size(image_size: tuple[int, int], grid: Grid) -> tuple[int, int]:
    """Height and width at which maps are looked at: the network's, or for stitched maps of tiles at least their own.

    >>> map_size((320, 320), (40, 40)), map_size((320, 320), (750, 1000))
    ((320, 320), (750, 1000))
    """
    return max(image_size[0], grid[0]), max(image_size[1], grid[1])


def means_inside(patch_scores: torch.Tensor, grid: Grid, size: tuple[int, int], least: float) -> torch.Tensor:
    """Bilinear means of the patches inside a region: (N, H, W), NaN where their weight is below `least`."""
    weights = resized(~patch_scores.isnan(), grid, size)
    sums = resized(patch_scores.nan_to_num(nan=0.0), grid, size)
    return torch.where(weights >= least, sums / weights, torch.nan)


def pixels_inside(patch_scores: torch.Tensor, grid: Grid, size: tuple[int, int]) -> torch.Tensor:
    """The pixels of anomaly maps that lie inside of the region of interest: bool (N, H, W)."""
    return resized(~patch_scores.isnan(), grid, size) >= MIN_WEIGHT


def peaks_inside(anomaly_maps: torch.Tensor, patch_scores: torch.Tensor, grid: Grid) -> torch.Tensor:
    """As `peak_positions`, for a region of interest: among pixels of equal score the one furthest inside.

    Pixels beyond the outermost patches' centres have those patches' scores, and lie nearer to the outside.

    Args:
        anomaly_maps: (N, H, W).
        patch_scores: (N, P), NaN outside.
        grid: patch rows and columns.
    """
    height, width = anomaly_maps.shape[1:]
    weights = resized(~patch_scores.isnan(), grid, (height, width))
    highest = image_scores(anomaly_maps)[:, None, None]
    highest = anomaly_maps >= highest - 1e-6 * highest.abs()
    return peak_positions(torch.where(highest, weights, -1.0))


def on_grid(patch_scores: torch.Tensor, grid: Grid, finest: Grid) -> torch.Tensor:
    """Patch scores of one layer on the finest grid of all layers, so that layers can be averaged.

    Args:
        patch_scores: float32 (N, P).
        grid: patch rows and columns of the layer, P = rows · columns.
        finest: patch rows and columns wanted.

    Returns:
        Float32 (N, rows · columns), resized bilinearly as anomaly maps are, NaN where no patch inside a region is near;
        the same tensor where the grids agree.
    """
    if grid == finest:
        return patch_scores
    if bool(patch_scores.isnan().any()):
        return means_inside(patch_scores, grid, finest, torch.finfo(torch.float32).eps).flatten(1)
    return anomaly_maps(patch_scores, grid, finest).flatten(1)


def any_patch(mask: torch.Tensor, grid: Grid) -> torch.Tensor:
    """A mask of patches on another grid: a patch is marked where any patch that it overlaps is.

    Args:
        mask: bool (N, rows, columns).
        grid: patch rows and columns wanted.

    Returns:
        Bool (N, rows, columns) of the grid wanted.
    """
    return F.adaptive_max_pool2d(mask.float(), grid) > 0


def image_scores(anomaly_maps: torch.Tensor) -> torch.Tensor:
    """The score of an image is the maximum of its anomaly map.

    Args:
        anomaly_maps: (N, H, W).

    Returns:
        (N,), same dtype.
    """
    return anomaly_maps.flatten(1).amax(dim=1)


def peak_positions(anomaly_maps: torch.Tensor) -> torch.Tensor:
    """Where each anomaly map has its maximum.

    Args:
        anomaly_maps: (N, H, W).

    Returns:
        Int64 (N, 2): row and column in pixels; the first in reading order among equals.
    """
    width = anomaly_maps.shape[2]
    peaks = anomaly_maps.flatten(1).argmax(dim=1)
    return torch.stack([peaks // width, peaks % width], dim=1)
