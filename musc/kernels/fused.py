"""Row and column maxima of X_i · X_jᵀ in one Triton kernel: the product never leaves the chip.

The plain way of `musc.mutual` writes every product (P × P) to memory and reads it twice for its maxima. Here a tile of
the product is reduced where it was summed, and only its maxima are written, with atomic operations. A maximum does not
depend on the order in which it is taken, so neither do the results.

Rows and columns past the last patch repeat it, which changes no maximum. Importing this module imports Triton; nothing
of the pipeline does, and no figure of this kernel on a GPU has been measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import triton
import triton.language as tl

from musc.kernels.window import Band


@dataclass(frozen=True)
class Tile:
    """The part of a product that one program of the kernel computes."""

    rows: int = 128
    columns: int = 128
    depth: int = 64
    """Channels multiplied at once."""
    warp_count: int = 8
    stage_count: int = 3
    """Loads in flight."""


TILE = Tile()


@triton.jit
def write_maxima(  # type: ignore[no-untyped-def]
    queries,
    references,
    nearest,
    pairs,
    pair_count,
    patch_count,
    width,
    query_stride,
    reference_stride,
    patch_stride,
    tile_rows: tl.constexpr,
    tile_columns: tl.constexpr,
    depth: tl.constexpr,
    symmetric: tl.constexpr,
    widened: tl.constexpr,
):
    """Raise nearest[i, j] to the row maxima of one tile and, if symmetric, nearest[j, i] to its column maxima."""
    across = tl.cdiv(patch_count, tile_columns)
    tiles = tl.cdiv(patch_count, tile_rows) * across
    pair = tl.program_id(0) // tiles
    tile = tl.program_id(0) % tiles
    query = tl.load(pairs + pair)
    reference = tl.load(pairs + pair_count + pair)
    rows = (tile // across) * tile_rows + tl.arange(0, tile_rows)
    columns = (tile % across) * tile_columns + tl.arange(0, tile_columns)
    left_rows = (query * patch_count + tl.minimum(rows, patch_count - 1)) * width
    right_rows = (reference * patch_count + tl.minimum(columns, patch_count - 1)) * width
    product = tl.zeros((tile_rows, tile_columns), dtype=tl.float32)
    for start in range(0, width, depth):
        channels = start + tl.arange(0, depth)
        inside = channels < width
        left = tl.load(queries + left_rows[:, None] + channels[None, :], mask=inside[None, :], other=0.0)
        right = tl.load(references + right_rows[None, :] + channels[:, None], mask=inside[:, None], other=0.0)
        if widened:
            left, right = left.to(tl.float32), right.to(tl.float32)
        product = tl.dot(left, right, product, input_precision="ieee")
    of_query = nearest + query * query_stride + reference * reference_stride + rows * patch_stride
    tl.atomic_max(of_query, tl.max(product, axis=1), mask=rows < patch_count, sem="relaxed")
    if symmetric:
        of_reference = nearest + reference * query_stride + query * reference_stride + columns * patch_stride
        tl.atomic_max(of_reference, tl.max(product, axis=0), mask=columns < patch_count, sem="relaxed")


def fill_symmetric(
    nearest: torch.Tensor,
    features: torch.Tensor,
    excluded: torch.Tensor | None = None,
    bands: Sequence[Band] | None = None,
    *,
    tile: Tile = TILE,
) -> None:
    """As `musc.mutual.fill_symmetric`, each unordered pair once, but no patch can be excluded or out of reach."""
    _require_all(excluded, bands)
    own = nearest.diagonal(dim1=0, dim2=1).clone()
    nearest.fill_(-torch.inf)
    nearest.diagonal(dim1=0, dim2=1).copy_(own)
    pairs = torch.triu_indices(len(features), len(features), offset=1, device=features.device)
    _launch(nearest, features, features, pairs, tile, symmetric=True)


def fill_directed(
    nearest: torch.Tensor,
    queries: torch.Tensor,
    references: torch.Tensor,
    excluded: torch.Tensor | None = None,
    bands: Sequence[Band] | None = None,
    *,
    tile: Tile = TILE,
) -> None:
    """As `musc.mutual.fill_directed`, one direction only, but no patch can be excluded or out of reach."""
    _require_all(excluded, bands)
    nearest.fill_(-torch.inf)
    counts = (torch.arange(len(each), device=queries.device) for each in (queries, references))
    _launch(nearest, queries, references, torch.cartesian_prod(*counts).T.contiguous(), tile, symmetric=False)


def _require_all(excluded: torch.Tensor | None, bands: Sequence[Band] | None) -> None:
    """Refuse to leave out patches.

    Raises:
        ValueError: if any may not be matched.
    """
    if any(band.far is not None for band in bands or ()):
        raise ValueError("fused products must be of all patches, got a window; leave out `fused`")
    if excluded is not None and bool(excluded.any()):
        raise ValueError(
            f"fused products must be of all patches, got {int(excluded.sum())} excluded ones; leave out `fused`"
        )


def _launch(
    nearest: torch.Tensor,
    queries: torch.Tensor,
    references: torch.Tensor,
    pairs: torch.Tensor,
    tile: Tile,
    *,
    symmetric: bool,
) -> None:
    """Run the kernel on int64 pairs (2, pair count) of a query and a reference.

    Raises:
        ValueError: if the features are not on a GPU and Triton does not interpret.
    """
    on_gpu = queries.device.type == "cuda"
    if not on_gpu and not triton.knobs.runtime.interpret:
        raise ValueError(f"fused products must be made on a GPU, got features on {queries.device}; leave out `fused`")
    patch_count, width = queries.shape[1:]
    pair_count = pairs.shape[1]
    tile_count = triton.cdiv(patch_count, tile.rows) * triton.cdiv(patch_count, tile.columns)
    if not pair_count:
        return
    with torch.cuda.device_of(queries):
        write_maxima[(pair_count * tile_count,)](
            queries.contiguous(),
            references.contiguous(),
            nearest,
            pairs,
            pair_count,
            patch_count,
            width,
            *nearest.stride(),
            tile_rows=tile.rows,
            tile_columns=tile.columns,
            depth=tile.depth,
            symmetric=symmetric,
            widened=not on_gpu,
            num_warps=tile.warp_count,
            num_stages=tile.stage_count,
        )
