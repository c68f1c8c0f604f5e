"""Decision about a lot: which images are flagged, suspect and grouped, as tables, records and sentences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from musc.decisions.decide_images import DecidedLot, decide_images
from musc.decisions.decision_words import Decision
from musc.decisions.defect_boxes import boxes, defect_mask, lowest_peak, pixel_threshold
from musc.maps import maps_of_run
from planning.task_specs import RunSpec
from reports.run_record import DecisionRecord, GroupRecord
from storage.images.lots import ListedImage
from storage.results.groups import read_groups
from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


BOX_COLUMNS = ("image_id", "path", "x", "y", "width", "height", "peak_score")


@dataclass(frozen=True)
class LotResult:
    """What the decision rule and the groups say about the N scored images of a lot, in their order."""

    decision: DecidedLot
    pixel_threshold: float
    """Value of the anomaly map at and above which pixels of listed images are odd; NaN if none is listed."""
    group: np.ndarray
    """Int64 (N,), 0 for none."""
    group_patches: np.ndarray
    """Int64 (N,), patches each image shares with its group."""
    rescored: bool
    """Whether these patches were left out of the references."""

    @property
    def warnings(self) -> list[str]:
        """Plain sentences for the person who reads the result."""
        return [*self.decision.warnings, *(self._alarm(group) for group in range(1, self.group.max(initial=0) + 1))]

    def _alarm(self, group: int) -> str:
        count = int((self.group == group).sum())
        message = (
            f"{count} of {len(self.group)} images have unusual places that the network finds again in each other and "
            f"hardly in any other image (group {group}): the same flaw, a harmless variant, or places that only the "
            "network takes for alike; look at them."
        )
        if self.rescored:
            return f"{message} It was left out of the references, so they were scored without each other."
        return (
            f"{message} As they match each other, their scores may be too low; "
            "score again with exclude_groups (--exclude-groups) to take that out."
        )

    def group_records(self, images: Sequence[ListedImage]) -> tuple[GroupRecord, ...]:
        """Each group and its images."""
        members = [np.flatnonzero(self.group == group).tolist() for group in range(1, self.group.max(initial=0) + 1)]
        return tuple(
            GroupRecord(
                group=number,
                image_ids=tuple(images[position].image_id for position in of_group),
                paths=tuple(images[position].path for position in of_group),
                patch_count=int(self.group_patches[of_group].sum()),
            )
            for number, of_group in enumerate(members, start=1)
        )

    def record(self, nights: tuple[str, ...] = ()) -> DecisionRecord:
        """The decision as it is recorded; no threshold is None.

        Args:
            nights: paths of the earlier runs whose scores were given to the rule.
        """
        decision = self.decision
        return DecisionRecord(
            score="raw_score",
            flag_basis=decision.flag_basis,
            basis=decision.rule.basis,
            reference_count=decision.rule.reference_count,
            nights=nights,
            expected_false_alarms=decision.options.false_alarms,
            suspects=decision.options.suspects,
            review_budget=decision.options.review_budget,
            fixed_threshold=decision.options.threshold,
            threshold=finite_or_none(decision.flag_threshold),
            suspect_threshold=finite_or_none(decision.suspect_threshold),
            above_count=decision.above_count,
            flagged_count=decision.count(Decision.FLAGGED),
            suspect_count=decision.count(Decision.SUSPECT),
            remark=decision.rule.remark,
            pixel_threshold=finite_or_none(self.pixel_threshold),
        )


def finite_or_none(value: float) -> float | None:
    """The value, None for NaN and infinity."""
    return float(value) if np.isfinite(value) else None


def decide_run(
    store: Store,
    spec: RunSpec,
    raw_scores: np.ndarray,
    patch_scores: np.ndarray,
    good_scores: np.ndarray | None = None,
    earlier_nights: Sequence[np.ndarray] = (),
) -> LotResult:
    """Apply the decision rule and read the groups.

    Args:
        raw_scores: (N,).
        patch_scores: (N, rows, columns).
        good_scores: (G,), raw scores of known good images; None where there are none.
        earlier_nights: (n,) raw scores of each earlier night, oldest first.
    """
    decision = decide_images(raw_scores, spec.job.decisions, good_scores=good_scores, earlier_nights=earlier_nights)
    of_maps = spec.job.settings.image_score == "max"
    limit = decision.suspect_threshold if of_maps else lowest_peak(patch_scores, decision.listed)
    pixel = pixel_threshold(patch_scores, decision.listed, limit)
    if spec.groups is None:
        no_groups = np.zeros(len(raw_scores), dtype=np.int64)
        return LotResult(decision, pixel, no_groups, no_groups, rescored=False)
    group, shared = read_groups(store, spec.groups)
    return LotResult(decision, pixel, group, shared.sum(axis=(1, 2)), rescored=spec.job.settings.exclude_groups)


def box_table(
    verdict: LotResult,
    images: Sequence[ListedImage],
    patch_scores: np.ndarray,
    fine_scores: np.ndarray,
    map_size: tuple[int, int],
) -> "pd.DataFrame":
    """A row per connected odd region of a flagged or suspect image, in pixels of the original upright image.

    Args:
        images: the scored images.
        patch_scores: float32 (N, rows, columns).
        fine_scores: float32 (N, rows, columns), of the levels with the finest grid.
        map_size: height and width at which anomaly maps are drawn.
    """
    import pandas as pd

    rows: list[dict[str, object]] = []
    for position in np.flatnonzero(verdict.decision.listed).tolist():
        image = images[position]
        anomaly_map, fine_map = maps_of_run(np.stack([patch_scores[position], fine_scores[position]]), map_size)
        mask = defect_mask(anomaly_map, fine_map, verdict.pixel_threshold)
        image_boxes = boxes(anomaly_map, mask, (image.height, image.width))
        rows += [{"image_id": image.image_id, "path": image.path, **asdict(box)} for box in image_boxes]
    table = pd.DataFrame(rows, columns=list(BOX_COLUMNS))
    dtypes = {"x": "int64", "y": "int64", "width": "int64", "height": "int64", "peak_score": "float64"}
    return table.astype({"image_id": "string", "path": "string", **dtypes})
