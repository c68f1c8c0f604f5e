"""The loss: score every lot as MuSc would and ask that insertions score above all else; and tell lots apart."""

import torch
import torch.nn.functional as F

from musc.lnamd import aggregate

RANK_TEMPERATURE = 0.15
"""Difference of scores at which one normal patch above a defective one begins to count less."""

MATCH_TEMPERATURE = 0.1
"""Of the softmax over cosines between patches of one process and of others."""

PATCHES_COMPARED = 100
"""Patches per lot in the contrastive part of the loss."""

NEAREST_COUNT = 2
"""Other images, nearest first, over which a patch's distance is averaged: the paper's 30 % of a small lot."""

DEFECTIVE_SHARE = 0.25
"""Part of a cell that an insertion must cover for the cell to count as defective."""


def cell_kinds(masks: torch.Tensor, cell: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Which cells are defective and which are normal; those touched little or beside an insertion are neither.

    Args:
        masks: bool (N, H, W).
        cell: pixels per cell.

    Returns:
        Two bool tensors (N, P).
    """
    covered = F.avg_pool2d(masks[:, None].float(), cell)
    normal = F.max_pool2d(covered, 3, stride=1, padding=1) == 0
    return (covered >= DEFECTIVE_SHARE).flatten(1), normal.flatten(1)


def cosines(tokens: torch.Tensor, lot_count: int) -> torch.Tensor:
    """Of every patch the cosine of its best match in each of the other images of its lot that are nearest, best first.

    Gradients flow through the matches only, which are found without them.

    Args:
        tokens: unit length, (lots · N, P, C).

    Returns:
        (lots, N · P, NEAREST_COUNT)
    """
    image_count, patch_count = tokens.shape[0] // lot_count, tokens.shape[1]
    of_lot = tokens.reshape(lot_count, image_count * patch_count, -1)
    with torch.no_grad():
        similarity = of_lot @ of_lot.transpose(1, 2)
        best = similarity.view(lot_count, image_count * patch_count, image_count, patch_count).max(dim=-1)
        owner = torch.arange(image_count).repeat_interleave(patch_count)
        itself = F.one_hot(owner, image_count).bool()
        images = best.values.masked_fill(itself, -2.0).topk(NEAREST_COUNT, dim=-1).indices
        patches = images * patch_count + torch.gather(best.indices, 2, images)  # (lots, N · P, NEAREST_COUNT)
    found = [of_lot[lot][patches[lot]] for lot in range(lot_count)]
    return (of_lot[:, :, None] * torch.stack(found)).sum(dim=-1)


def rank_loss(scores: torch.Tensor, defective: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """Mean over defective patches of log(1 + sum over the lot's normal ones of exp(score difference / T)).

    Args:
        scores: (lots, patches of a lot).
        defective: bool, likewise.
        normal: bool, likewise.
    """
    losses = []
    for of_lot, is_defective, is_normal in zip(scores, defective, normal, strict=True):
        if not is_defective.any() or not is_normal.any():
            continue
        normals = torch.logsumexp(of_lot[is_normal] / RANK_TEMPERATURE, dim=0)
        ceiling = torch.log1p(is_normal.sum())
        losses.append((F.softplus(normals - of_lot[is_defective] / RANK_TEMPERATURE) / ceiling).mean())
    return torch.stack(losses).mean() if losses else scores.sum() * 0


def match_loss(tokens: torch.Tensor, labels: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Supervised contrastive loss: patches of one process alike across images, all else apart.

    Args:
        tokens: unit length, (M, C).
        labels: (M,), the process of each patch; negative ones are patches of nothing, unlike all others.
        images: (M,), the image of each patch; patches of one image are not compared with each other as alike.
    """
    logits = tokens @ tokens.T / MATCH_TEMPERATURE
    alike = (labels[:, None] == labels[None]) & (labels >= 0)[:, None]
    beside = alike & (images[:, None] == images[None])
    positive = alike & ~beside
    spread = torch.logsumexp(logits.masked_fill(beside, -torch.inf).masked_fill(torch.eye(len(tokens)) > 0, -1e4), 1)
    counts = positive.sum(dim=1)
    near = (logits * positive).sum(dim=1) / counts.clamp(min=1)
    return (spread - near)[counts > 0].mean()


def choose_patches(
    regions: torch.Tensor, defective: torch.Tensor, normal: torch.Tensor, lot_count: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Patches for the contrastive part: from each lot as many, pure ones and defective ones.

    Args:
        regions: (lots · N, P), the process of each cell, -1 where several meet.
        defective: bool (lots · N, P).
        normal: bool (lots · N, P).

    Returns:
        Index into lots · N · P, label and image of each chosen patch.
    """
    image_count, patch_count = regions.shape[0] // lot_count, regions.shape[1]
    of_lot = image_count * patch_count
    usable = ((regions >= 0) & normal) | defective
    chosen = []
    for lot, is_usable in enumerate(usable.view(lot_count, of_lot)):
        weight = torch.rand(of_lot, generator=generator) * is_usable
        best = weight.topk(min(PATCHES_COMPARED, int(is_usable.sum()))).indices
        chosen.append(best + lot * of_lot)
    index = torch.cat(chosen)
    labels = torch.where(defective.flatten()[index], -1, index // of_lot * 8 + regions.flatten()[index])
    return index, labels, index // patch_count


def pure_regions(regions: torch.Tensor, cell: int) -> torch.Tensor:
    """The process of each cell, or -1 where a cell holds several or a border: (N, H, W) -> (N, P)."""
    values = regions[:, None].float()
    highest, lowest = F.max_pool2d(values, cell), -F.max_pool2d(-values, cell)
    return torch.where(highest == lowest, highest, -1).flatten(1).long()


def lot_loss(
    maps: list[torch.Tensor],
    masks: torch.Tensor,
    regions: torch.Tensor,
    lot_count: int,
    degree: int,
    generator: torch.Generator,
) -> dict[str, torch.Tensor]:
    """All parts of the loss of one batch of lots.

    Args:
        maps: per level (lots · N, C, rows, columns).
        masks: bool (lots · N, H, W), where insertions are.
        regions: int64 (lots · N, H, W), the process of each pixel, -1 on borders.
        lot_count: how many lots the batch holds.
        degree: side of the LNAMD neighbourhood.
        generator: chooses the patches of the contrastive part.

    Returns:
        `mean`: ranking of the scores averaged over levels; `levels`: of each level alone, averaged; `match`.
    """
    grid = (maps[0].shape[-2], maps[0].shape[-1])
    cell = masks.shape[-1] // grid[1]
    defective, normal = cell_kinds(masks, cell)
    index, labels, images = choose_patches(pure_regions(regions, cell), defective, normal, lot_count, generator)
    of_lots = (defective.view(lot_count, -1), normal.view(lot_count, -1))
    scores, ranks, matched = [], [], []
    for level in maps:
        tokens = aggregate(level.flatten(2).transpose(1, 2), grid, degree)
        distance = (2 - 2 * cosines(tokens, lot_count) + 1e-4).sqrt().mean(dim=-1)
        scores.append(distance)
        ranks.append(rank_loss(distance, *of_lots))
        matched.append(match_loss(tokens.flatten(0, 1)[index], labels, images))
    return {
        "mean": rank_loss(torch.stack(scores).mean(dim=0), *of_lots),
        "levels": torch.stack(ranks).mean(),
        "match": torch.stack(matched).mean(),
    }
