"""A backbone's specification, and its layers: each has a grid of patches and a width of its own; a ViT's are alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Grid = tuple[int, int]
"""Patch rows and columns."""


@dataclass(frozen=True)
class Layer:
    """One layer whose patch tokens (N, P, C) are taken."""

    number: int
    """0-based, as the backbone counts: a transformer block, or a level of a convolutional network."""
    grid: Grid
    width: int
    """C, the length of a patch token."""

    @property
    def patch_count(self) -> int:
        """P, patches per image."""
        return self.grid[0] * self.grid[1]


def finest_grid(layers: Sequence[Layer]) -> Grid:
    """The grid to which the patch scores of all layers are resized: most rows, most columns.

    >>> finest_grid([Layer(2, (48, 48), 40), Layer(3, (24, 24), 112)])
    (48, 48)
    """
    return max(layer.grid[0] for layer in layers), max(layer.grid[1] for layer in layers)


@dataclass(frozen=True)
class BackboneSpec:
    """All that decides which features a backbone gives; two equal specifications give equal features.

    Resolving a specification loads no weights, so a run whose features are stored already never needs them.
    """

    name: str
    """As the user writes it, e.g. `ViT-L-14-336`."""
    weights: str
    """A tag known to the library that owns the model, a path, or `built-in`."""
    weights_digest: str
    """`sha256:…` of a local file, else the library and tag, e.g. `open_clip:openai`."""
    image_size: tuple[int, int]
    """Height and width in pixels to which every image is resized."""
    layers: tuple[Layer, ...]
    """Whose outputs are taken, each with its grid and width."""
    embedding_width: int
    """D, the length of a class token."""
    activation: Literal["gelu", "quick_gelu", "none"] = "none"
    """CLIP only: see `musc.backbones.vision_transformers.clip`."""
    position_antialias: bool = False
    """Whether a position embedding of another size is resized with antialiasing; the published numbers are without."""
    precision: Literal["float32", "float16", "bfloat16"] = "float32"
    """What the forward pass computes in; the half ones by autocast."""

    @property
    def grid(self) -> Grid:
        """Patch rows and columns of the finest grid, on which patch scores are averaged."""
        return finest_grid(self.layers)


def patch_on(patch: int, grid: Grid, other: Grid) -> int:
    """The patch of another grid that holds the centre of a patch, both counted in reading order.

    >>> patch_on(5, (4, 4), (2, 2)), patch_on(3, (2, 2), (4, 4)), patch_on(5, (4, 4), (4, 4))
    (0, 15, 5)
    """
    row, column = divmod(patch, grid[1])
    return (2 * row + 1) * other[0] // (2 * grid[0]) * other[1] + (2 * column + 1) * other[1] // (2 * grid[1])


def middle_layer(layers: Sequence[Layer]) -> Layer:
    """The layer that groups and matches are sought in: the middle one, and never the last of several.

    >>> middle_layer([Layer(number, (37, 37), 1024) for number in (5, 11, 17, 23)]).number
    17
    """
    return layers[max(0, min(len(layers) // 2, len(layers) - 2))]


def middle_degree(degrees: Sequence[int]) -> int:
    """The degree at which groups and matches are sought, in whatever order degrees are given: the larger of two.

    >>> middle_degree((5, 1, 3)), middle_degree((1, 3))
    (3, 3)
    """
    return sorted(degrees)[len(degrees) // 2]
