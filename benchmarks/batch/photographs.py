"""Features of labelled photographs, extracted once, and the lots that are drawn from them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from musc.backbones import Backbone
from musc.layers import BackboneSpec
from storage.datasets import Category, load_mask_at
from storage.datasets.folder_contents import images_in
from storage.images.decode import decode

GOOD_DRAWN = 0.9
"""Fraction of the good photographs that a drawn lot holds."""


class PhotographSet(NamedTuple):
    """All photographs of a product: its test images first, then further good ones."""

    tokens: list[torch.Tensor]
    """Per layer float16 (N, P, C), as the store keeps them."""
    class_tokens: torch.Tensor
    masks: np.ndarray
    """Bool (N, H, W) at the network's size."""
    defective: np.ndarray
    """Bool (N,)."""
    test_count: int
    spec: BackboneSpec


def photographs_of(root: Path, category: Category, backbone: Backbone, *, with_spare: bool = True) -> PhotographSet:
    """Extract the test images of a category and the good ones of `train/good`, which only drawn lots need."""
    spare = images_in(root / category.name / "train" / "good") if with_spare else []
    paths = [*(root / image.path for image in category.images), *spare]
    features = backbone.extract([decode(path.read_bytes()) for path in paths])
    size = backbone.spec.image_size
    masks = [load_mask_at(root, image, size, category.dataset) for image in category.images]
    return PhotographSet(
        [tokens.half() for tokens in features.patch_tokens],
        features.class_tokens,
        np.stack([*masks, *(np.zeros(size, dtype=bool) for _ in spare)]),
        np.array([bool(image.label) for image in category.images] + [False] * len(spare)),
        len(category.images),
        backbone.spec,
    )


def drawn_lots(found: PhotographSet, shares: Sequence[float], draws: int) -> Iterator[tuple[str, list[list[int]]]]:
    """The lot as published, and lots with fractions of defective parts, each drawn several times: positions of images.

    Lots are drawn only where there are further good photographs, and enough defective ones.
    """
    yield "as published", [list(range(found.test_count))]
    good, bad = np.flatnonzero(~found.defective), np.flatnonzero(found.defective)
    good_count = round(GOOD_DRAWN * len(good))
    for share in shares if len(found.defective) > found.test_count else ():
        bad_count = round(share * good_count / (1 - share))
        if bad_count <= len(bad):
            rngs = [np.random.default_rng([seed, bad_count]) for seed in range(draws)]
            chosen = [np.r_[rng.permutation(good)[:good_count], rng.permutation(bad)[:bad_count]] for rng in rngs]
            yield f"{share:.0%} defective", [np.sort(of_draw).tolist() for of_draw in chosen]
