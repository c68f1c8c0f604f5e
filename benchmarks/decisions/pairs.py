"""All photographs of a product, each compared with each other once, so that any lot drawn from them is a selection.

A lot's scores follow from the distances among its own images, as if it had been scored alone. Distances are kept as
float16, which moves image scores by less than 0.0001.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from musc import backbones
from musc.kernels.matrix_products import fill_symmetric
from musc.layers import Grid
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores, on_grid
from musc.mutual import interval_counts
from musc.settings import Settings
from storage.datasets import Category
from storage.datasets.folder_contents import images_in
from storage.images.decode import decode

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Product:
    """The photographs of a product and the nearest distances between them."""

    name: str
    defective: NDArray[np.bool_]
    """(N,); the photographs of `test/` come first, then those of `train/good`."""
    test_count: int
    distances: list[tuple[Grid, NDArray[np.float16]]]
    """Per layer and degree (N, N, P): of every patch of an image to the nearest patch of each other image."""
    spec: backbones.BackboneSpec

    def scores(self, queries: Sequence[int], references: Sequence[int] | None = None) -> FloatArray:
        """Raw image scores (n,) of some photographs against references other than themselves; by default each other."""
        maps = anomaly_maps(self.layers(queries, references).mean(dim=0), self.spec.grid, self.spec.image_size)
        return image_scores(maps).numpy().astype(np.float64)

    def layers(self, queries: Sequence[int], references: Sequence[int] | None = None) -> torch.Tensor:
        """Patch scores of every layer and degree on the finest grid, float32 (layers · degrees, n, P)."""
        others = np.asarray(queries if references is None else references)
        parts = []
        for grid, distances in self.distances:
            rows = [nearest_mean(distances[query, others[others != query]]) for query in queries]
            parts.append(on_grid(torch.from_numpy(np.stack(rows)), grid, self.spec.grid))
        return torch.stack(parts)


def nearest_mean(distances: NDArray[np.float16]) -> NDArray[np.float32]:
    """Mean distance over the interval of the references, (P,), of distances (M, P)."""
    low, high = interval_counts(Settings().interval, len(distances))
    ordered = np.sort(distances.view(np.uint16), axis=0)  # as bits: the same order, faster
    return np.asarray(ordered[low:high].view(np.float16).astype(np.float32).mean(axis=0))


def compare(root: Path, category: Category, backbone: backbones.Backbone, degrees: Sequence[int]) -> Product:
    """Compare the photographs of a category, those of `train/good` too."""
    spare = images_in(root / category.name / "train" / "good")
    paths = [*(root / image.path for image in category.images), *spare]
    defective = np.array([bool(image.label) for image in category.images] + [False] * len(spare))
    features = backbone.extract([decode(path.read_bytes()) for path in paths])
    distances = []
    for layer, tokens in zip(backbone.spec.layers, features.patch_tokens, strict=True):
        for degree in degrees:
            nearest = torch.full((len(paths), len(paths), layer.patch_count), -torch.inf)
            fill_symmetric(nearest, aggregate(tokens, layer.grid, degree))
            near = nearest.mul_(-2).add_(2).clamp_(min=0, max=4).sqrt_()
            distances.append((layer.grid, near.numpy().astype(np.float16)))
    return Product(category.name, defective, len(category.images), distances, backbone.spec)
