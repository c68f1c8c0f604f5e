"""How well anomaly maps find defective pixels and regions, exactly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from musc.metrics.connected_regions import region_weights
from musc.metrics.counting import CleanCounts, count_clean
from musc.metrics.inputs import as_limits, as_masks_and_maps, name_by_limit
from musc.metrics.ranking import ranking_metrics
from musc.metrics.region_overlap import overlap_area, reference_area, reference_thresholds
from musc.metrics.ties import group_ties


def pixel_metrics(
    masks: ArrayLike, anomaly_maps: ArrayLike, limits: Sequence[float] = (0.3,), inside: ArrayLike | None = None
) -> dict[str, float]:
    """AUROC, best F1, average precision and AU-PRO over all pixels of all images, ties merged.

    AU-PRO (Bergmann et al., per-region overlap) gives every 8-connected defect region the same say. `aupro` uses every
    threshold; `aupro_reference` is the 200-threshold form that published tables report.

    Args:
        masks: (N, H, W) 1 where a pixel is defective; a good image's mask is all 0.
        anomaly_maps: (N, H, W) finite, higher where more anomalous; float32 is quickest.
        limits: false positive rates in (0, 1] up to which AU-PRO integrates.
        inside: (N, H, W) 1 where a pixel counts; others are left out, and so are parts of defects there. None is all.

    Returns:
        `auroc`, `f1_max`, `ap`, `aupro` at the first limit, `aupro_<limit>` (such as `aupro_0.05`) at every further
        one, and `aupro_reference`, always at 0.3. All lie in [0, 1]. Not defined and NaN: everything without a
        defective pixel; `auroc` and AU-PRO without a clean one; `aupro_reference` also where all scores are the same
        or fewer than two distinct rates lie below 0.3.

    Raises:
        ValueError: if the shapes differ, a mask is not binary, a score is not finite or a limit is no rate.
    """
    rates = as_limits(limits)
    defective, maps = as_masks_and_maps(masks, anomaly_maps)
    counted = maps.ravel()
    if inside is not None:
        kept, _ = as_masks_and_maps(inside, anomaly_maps)
        defective, counted = defective & kept, maps[kept]
    weights, region_count = region_weights(defective)
    defective_scores = maps[defective]
    groups = group_ties(defective_scores, weights / max(region_count, 1))
    thresholds = reference_thresholds(counted)
    clean = count_clean(counted, defective_scores, np.concatenate([groups.scores[::-1], thresholds]))
    clean_at_groups, clean_at_thresholds = _split_counts(clean, len(groups.scores))
    metrics = ranking_metrics(groups.count_reached, clean_at_groups)
    areas = [overlap_area(groups.weight_reached, clean_at_groups, rate) for rate in rates]
    metrics |= name_by_limit("aupro", areas, rates)
    metrics["aupro_reference"] = reference_area(groups, thresholds, clean_at_thresholds)
    return metrics


def _split_counts(clean: CleanCounts, group_count: int) -> tuple[CleanCounts, CleanCounts]:
    # The groups were counted in ascending order, which searches quickest; the curves want them descending.
    at_groups = CleanCounts(clean.above[:group_count][::-1], clean.reached[:group_count][::-1], clean.total)
    return at_groups, CleanCounts(clean.above[group_count:], clean.reached[group_count:], clean.total)
