"""Evaluate MVTec LOCO AD: logical and structural anomalies, each with the good images, then averaged."""

import numpy as np

from musc.metrics import auspro, image_metrics
from reports.evaluation.labels import Labelled
from storage.datasets import loco_defects
from storage.datasets.mask_rules import load_every

SPLITS = {"logical": "logical_anomalies", "structural": "structural_anomalies"}
LIMITS = (0.05, 0.01, 0.1, 0.3, 1.0)
"""False positive rates up to which AU-sPRO is integrated; the first is the one usually published."""


def loco_metrics(results: Labelled, root: str) -> dict[str, float]:
    """Image AUROC and AU-sPRO of each kind of anomaly and their means.

    AU-sPRO leaves out the defective images whose masks are missing.

    Args:
        results: the scored images of one category.
        root: the dataset's folder, where the masks are read at their own size.

    Returns:
        `image_auroc_logical`, `image_auroc_structural`, their mean `image_auroc`, and likewise `pixel_auspro_<limit>`
        such as `pixel_auspro_0_05`, each in [0, 1]; NaN where a kind of anomaly is absent.
    """
    kinds: dict[str, list[float]] = {}
    metrics: dict[str, float] = {}
    for split, defect_type in SPLITS.items():
        subset = results.only([image.defect_type in ("good", defect_type) for image in results.images])
        values = {
            "image_auroc": image_metrics(subset.labels, subset.scores)["auroc"],
            **auspro_by_limit(subset.only(subset.pixels_known), root),
        }
        for name, value in values.items():
            metrics[f"{name}_{split}"] = value
            kinds.setdefault(name, []).append(value)
    return {**{name: float(np.mean(values)) for name, values in kinds.items()}, **metrics}


def auspro_by_limit(part: Labelled, root: str) -> dict[str, float]:
    """AU-sPRO at every limit, at the masks' own size."""
    masks, owners, saturations = [], [], []
    defects = load_every(part.images, lambda image: loco_defects(root, image))
    for position, (channels, saturation) in enumerate(defects):
        masks.append(channels)
        owners += [position] * len(channels)
        saturations += saturation.tolist()
    size = masks[0].shape[1:]
    if any(channels.shape[1:] != size for channels in masks):
        raise ValueError(f"images of one category must have one size to be compared, got others than {size}")
    areas = auspro(np.concatenate(masks), np.array(owners, dtype=int), np.array(saturations), part.maps(size), LIMITS)
    return {f"pixel_auspro_{limit:g}".replace(".", "_"): float(area) for limit, area in zip(LIMITS, areas, strict=True)}
