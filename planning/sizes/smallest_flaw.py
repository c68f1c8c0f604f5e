"""Which image size, or which tiles, show flaws of a size that the user names; measured in docs/settings.md."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

from musc.layers import BackboneSpec
from musc.plan.lot_as_tiles import OVERLAP_PART
from musc.tiles import tile_image
from planning.sizes.kept_size import network
from storage.artefacts import digest
from storage.products.settled_sizes import settled_sizes
from storage.store import Store

PATCHES = 2.5
"""Patches of the finest layer that a flaw is to cover along each side."""
LARGEST = 2
"""Photographs are seen whole at up to so many times the network's usual side, in tiles beyond."""
LEAST = 4
"""Pixels of the photograph: smaller flaws are no more than noise."""
LEAST_TILE = 32
"""Pixels of a tile's side, as of `--tile`."""
NEAR = 1 / 8
"""Part of a side by which photographs may differ from those by which a product's size was chosen."""


@dataclass(frozen=True)
class FlawSize:
    """What the smallest flaw chose."""

    flaw: int
    """Pixels of the photograph."""
    photograph: tuple[int, int] = (0, 0)
    """Height and width of the photographs by which it was chosen; (0, 0) where there is none: nothing is chosen."""
    image_size: tuple[int, int] | None = None
    """Height and width in pixels, of tiles that of each; None is the network's usual size."""
    tile: int | None = None
    """Side of tiles in pixels of the photograph; None sees photographs whole."""
    key: str = ""
    """Of the product, under which later lots find the photographs' size; empty where it is settled for nobody."""
    text: str = ""
    """What was chosen and why, for people."""


def flaw_size(
    flaw: int,
    folders: Sequence[str],
    category: str,
    backbone: BackboneSpec,
    store: Store,
    paths: Sequence[str] | None = None,
    *,
    keep_aspect: bool = False,
) -> FlawSize:
    """What a flaw chooses for a lot, by the commonest size of its photographs.

    Photographs by which an earlier lot of the product was scored count instead, if they differ by at most an eighth
    along each side: nights of photographs that are cut to a few pixels more or less stay comparable.

    Args:
        flaw: pixels of the photograph.
        folders: places of photographs; the first that holds any counts.
        category: of the lot.
        backbone: at its usual size.
        store: where sizes are settled.
        paths: of the images to look at, where the lot is part of a benchmark, which stands alone; else None.
        keep_aspect: see `size_for_flaw`.

    Returns:
        The choice; nothing is chosen where no photograph opens.

    Raises:
        ValueError: as `size_for_flaw`.
    """
    from storage.images.upright_shapes import upright_shapes  # opens photographs, which no record of a run needs

    shapes = Counter(next(filter(None, (upright_shapes(folder, paths) for folder in folders)), []))
    if not shapes:
        return FlawSize(flaw)
    shape, _ = max(shapes.items(), key=lambda item: (item[1], item[0]))
    key = "" if paths is not None else digest({"category": category, "network": network(backbone), "flaw": flaw})
    for settled in settled_sizes(store, key) if key else []:
        if all(abs(side - own) <= NEAR * own for side, own in zip(settled, shape, strict=True)):
            shape = settled
            break
    return replace(size_for_flaw(flaw, shape, backbone, keep_aspect=keep_aspect), key=key)


def size_for_flaw(flaw: int, shape: tuple[int, int], backbone: BackboneSpec, *, keep_aspect: bool = False) -> FlawSize:
    """The smallest image size at which a flaw covers `PATCHES` patches along each side; tiles where that is too large.

    Args:
        flaw: pixels of the photograph.
        shape: height and width of the photographs.
        backbone: at its usual size.
        keep_aspect: whether proportions are kept, so that pixels lie as close along both sides.

    Raises:
        ValueError: if photographs can show no flaw of this size.
    """
    height, width = shape
    if flaw < LEAST:
        raise ValueError(
            f"smallest_flaw must be at least {LEAST} pixels of the photograph, got {flaw}: smaller flaws are told "
            "from a photograph's noise at no image size; take photographs of more pixels"
        )
    if flaw >= min(shape):
        raise ValueError(
            f"smallest_flaw must be smaller than the photographs, {width} x {height} pixels, got {flaw}; give the "
            "flaw's size in pixels of the photograph"
        )
    side, grids = backbone.image_size[0], [layer.grid for layer in backbone.layers]
    patch, step = side / max(rows for rows, _ in grids), side // min(rows for rows, _ in grids)
    length = sqrt(height * width) if keep_aspect else max(shape)
    whole = max(side, ceil(PATCHES * patch / flaw * length / step) * step)
    if whole <= LARGEST * side:
        size, tile, seen = whole, None, length
        how = f"whole at {whole} pixels{', the usual size' if whole == side else ''}"
    else:
        size = side
        seen = tile = max(LEAST_TILE, int(side * flaw / (PATCHES * patch)))
        count = len(tile_image(width, height, tile, tile // OVERLAP_PART))
        how = f"as {count} tiles of {tile} pixels, each at {side}"
    covered = flaw * size / seen / patch
    text = (
        f"for flaws of {flaw} pixels, photographs of {width} x {height} are seen {how}, where such a flaw covers "
        f"{covered:.1f} patches along a side"
    )
    if size > max(side, seen) or (tile and size > tile):
        text += "; photographs of more pixels would show more"
    return FlawSize(flaw, shape, None if size == side and tile is None else (size, size), tile, text=text)


def least_without_tiles(shape: tuple[int, int], backbone: BackboneSpec, *, keep_aspect: bool = False) -> int:
    """The smallest flaw, in pixels of the photograph, that needs no tiles."""
    flaws = range(LEAST, min(shape))
    return next(
        (flaw for flaw in flaws if size_for_flaw(flaw, shape, backbone, keep_aspect=keep_aspect).tile is None),
        min(shape),
    )
