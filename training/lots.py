"""Lots on the fly: pictures of one scene, some with insertions. Every lot is drawn from numbers of its own."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from training.fields import FloatArray
from training.insertions import insert
from training.scenes import choose_camera, choose_scene, photograph

GREY_SHARE = 0.4
"""Part of the lots seen by a camera without colour."""


class Lot(NamedTuple):
    """Pictures of one scene."""

    pictures: FloatArray
    """Float32 (N, size, size, 3) in [0, 1]."""
    masks: NDArray[np.bool_]
    """Where an insertion is, (N, size, size)."""
    regions: NDArray[np.int64]
    """Which process each pixel is of, -1 on borders between two, (N, size, size)."""


def draw_lot(
    identity: tuple[int, ...],
    *,
    image_count: int,
    size: int,
    share: float = 0.5,
    most: int = 3,
    largest: float = 16.0,
) -> Lot:
    """Draw one lot.

    Args:
        identity: non-negative integers; the same ones give the same lot to the last bit.
        image_count: N.
        size: height and width in pixels.
        share: expected part of the images that carry insertions.
        most: insertions per image at most.
        largest: radius of the widest insertions in pixels.
    """
    rng = np.random.default_rng(identity)
    scene, camera = choose_scene(rng, size), choose_camera(rng)
    is_grey = rng.random() < GREY_SHARE
    defective = rng.random(image_count) < share
    defective[0] = share > 0
    pictures, masks, regions = [], [], []
    for is_defective in defective:
        clean, region = scene(rng)
        picture, mask = np.clip(clean, 0, 1), np.zeros((size, size), dtype=bool)
        for _ in range(rng.integers(1, most + 1) if is_defective else 0):
            picture, here = insert(rng, picture, largest)
            mask |= here
        if is_grey:
            picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
        taken = photograph(rng, picture, camera)
        pictures.append(np.repeat(taken[..., 1:2], 3, axis=2) if is_grey else taken)
        masks.append(mask)
        regions.append(region)
    return Lot(np.stack(pictures), np.stack(masks), np.stack(regions))


def as_batch(lots: list[Lot]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Lots of equal size as tensors: pictures (lots · N, 3, size, size), masks and regions (lots · N, size, size)."""
    pictures = torch.from_numpy(np.concatenate([lot.pictures for lot in lots])).permute(0, 3, 1, 2).contiguous()
    masks = torch.from_numpy(np.concatenate([lot.masks for lot in lots]))
    return pictures, masks, torch.from_numpy(np.concatenate([lot.regions for lot in lots]))
