"""LNAMD, local neighbourhood aggregation with multiple degrees (MuSc, ICLR 2024, section 3.2).

A patch token describes one patch; a defect may be larger. Averaging each token with its neighbours lets small and
large defects stand out, each at its own degree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from musc.array_checks import require_patches
from musc.layers import Grid
from musc.option_ranges import require_degree, require_degrees
from musc.threads import for_each

MIN_SUM = 1e-3
"""Shortest sum over a neighbourhood, as a fraction of what independent patches would sum to."""


def aggregate(patch_tokens: torch.Tensor, grid: Grid, degree: int) -> torch.Tensor:
    """Average every patch token with its `degree` × `degree` neighbourhood and scale it to unit length.

    Each image is first layer-normalised over channels, rows and columns together, without affine parameters. Cells
    outside the grid count as zeros, as in the paper's implementation.

    Args:
        patch_tokens: (N, P, C), any floating dtype; computed in float32.
        grid: patch rows and columns, P = rows · columns.
        degree: side of the neighbourhood in patches, odd; 1 leaves each patch alone.

    Returns:
        Float32 (N, P, C); every row has length 1, or 0 where the tokens of an image are all equal.

    Raises:
        ValueError: if `degree` is not a positive odd number, there are not three axes or the grid does not fit P.
    """
    require_degree(degree)
    require_patches("patch_tokens", patch_tokens, grid, ("N", "P", "C"))
    if patch_tokens.device.type != "cpu":
        return F.normalize(neighbourhood_means(normalise_layer(patch_tokens), grid, degree), dim=-1)
    found = torch.empty(patch_tokens.shape)

    def fill(image: int) -> None:
        normal = normalise_layer(patch_tokens[image : image + 1])
        F.normalize(neighbourhood_means(normal, grid, degree), dim=-1, out=found[image : image + 1])

    for_each(fill, range(len(found)), found.device)
    return found


@dataclass(frozen=True)
class PooledTokens:
    """Images before their patches are averaged, with what makes the sums over neighbourhoods unit vectors.

    What `aggregate` gives at a degree is the sum of `tokens` over the neighbourhood times `scales`. So its similarities
    are sums of the tokens' products, which are the same for all degrees.
    """

    tokens: torch.Tensor
    """Float32 (N, P, C), layer-normalised."""
    scales: torch.Tensor
    """Float32 (N, D, P), one over the lengths of the sums; 0 for a sum without direction."""
    grid: Grid
    degrees: tuple[int, ...]
    """D sides of neighbourhoods, growing."""

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, images: slice | list[int]) -> "PooledTokens":
        return PooledTokens(self.tokens[images], self.scales[images], self.grid, self.degrees)


def pool(patch_tokens: torch.Tensor, grid: Grid, degrees: Sequence[int]) -> PooledTokens:
    """Prepare images for comparison at several degrees at once, without storing a vector for each.

    A sum whose parts cancel, so that it is shorter than `MIN_SUM` times the length independent parts would give, has
    no direction that products in float32 could tell. It is taken for zero: its similarity to everything is 0.

    Args:
        patch_tokens: as in `aggregate`.
        grid: as in `aggregate`.
        degrees: sides of the neighbourhoods in patches, odd, in any order.

    Raises:
        ValueError: as `aggregate`, and if a degree is given twice.
    """
    require_degrees(degrees)
    require_patches("patch_tokens", patch_tokens, grid, ("N", "P", "C"))
    growing, (count, patch_count, width) = tuple(sorted(degrees)), patch_tokens.shape
    tokens = torch.empty(patch_tokens.shape, device=patch_tokens.device)
    scales = torch.empty(count, len(growing), patch_count, device=patch_tokens.device)

    def fill(image: int) -> None:
        tokens[image] = normalise_layer(patch_tokens[image : image + 1])[0]
        normal = tokens[image : image + 1]
        part = normal.square().mean().mul(width).sqrt()  # the length of one patch
        for place, degree in enumerate(growing):
            lengths = neighbourhood_means(normal, grid, degree)[0].norm(dim=-1) * degree**2
            scales[image, place] = torch.where(lengths > MIN_SUM * degree * part, 1 / lengths, 0)

    for_each(fill, range(count), tokens.device)
    return PooledTokens(tokens, scales, grid, growing)


def normalise_layer(patch_tokens: torch.Tensor) -> torch.Tensor:
    """Each image's tokens with mean 0 and variance 1 over channels and patches together: float32 (N, P, C)."""
    return F.layer_norm(patch_tokens.float(), patch_tokens.shape[1:])


def neighbourhood_means(normal: torch.Tensor, grid: Grid, degree: int) -> torch.Tensor:
    """Average every patch of (N, P, C) with its neighbourhood, cells outside the grid counted as zeros."""
    if degree == 1:
        return normal
    cells = normal.unflatten(1, grid).permute(0, 3, 1, 2)  # (N, C, rows, columns)
    means = F.avg_pool2d(cells, degree, stride=1, padding=degree // 2, count_include_pad=True)
    return means.permute(0, 2, 3, 1).flatten(1, 2)
