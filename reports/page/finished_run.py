"""A finished run opened for looking at: photographs, maps, masks and scores side by side, by position in the lot."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from musc.decisions.decision_words import Decision
from musc.decisions.defect_boxes import boxes, defect_mask
from musc.decisions.outlines import Outline, outlines
from reports.page.causes import Causes, read_causes
from reports.page.crops import worst_patch
from reports.page.heatmaps import Box, ColourScale, colour_scale
from reports.run_record import RunRecord, read_record
from storage.errors import ImageChangedError, UnreadableImageError
from storage.images.decode import decode
from storage.images.lots import ListedImage, read_image
from storage.results.runs import Run
from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FinishedRun:
    """N scored images; every position is that of `patch_scores`."""

    run: Run
    folder: str
    """Where the photographs lie."""

    @cached_property
    def record(self) -> RunRecord:
        return read_record(self.run)

    @cached_property
    def images(self) -> list[ListedImage]:
        return self.run.scored_images()

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """A row per image, in the order of `images`."""
        by_id = self.run.scores().set_index("image_id", drop=False)
        return by_id.loc[[image.image_id for image in self.images]].reset_index(drop=True)

    @cached_property
    def patch_scores(self) -> np.ndarray:
        """Float32 (N, rows, columns)."""
        return self.run.patch_scores()

    @cached_property
    def fine_scores(self) -> np.ndarray:
        """Float32 (N, rows, columns), of the levels with the finest grid."""
        return self.run.fine_scores()

    @cached_property
    def causes(self) -> Causes:
        """What is odd about its images; nothing where that was not found out."""
        return read_causes(self.run)

    @property
    def grid(self) -> tuple[int, int]:
        rows, columns = self.patch_scores.shape[1:]
        return rows, columns

    @cached_property
    def decisions(self) -> list[Decision]:
        """Of each image."""
        return [Decision(text) for text in self.scores["decision"]]

    @cached_property
    def listed(self) -> np.ndarray:
        """Bool (N,), the images to look at: flagged and suspect ones."""
        return (self.scores["decision"] != Decision.ACCEPTED).to_numpy()

    @cached_property
    def limits(self) -> ColourScale:
        """The ends of the lot's one colour scale."""
        return colour_scale(self.patch_scores)

    @property
    def pixel_threshold(self) -> float:
        """From which on a pixel counts as defective; NaN if nothing is flagged or suspect."""
        threshold = self.record.decision.pixel_threshold
        return float("nan") if threshold is None else float(threshold)

    @cached_property
    def ranked(self) -> list[int]:
        """All positions by rank, which follows the raw score: the one order in which images are shown."""
        return np.argsort(self.scores["rank"].to_numpy(), kind="stable").tolist()

    def most_anomalous(self, *decisions: Decision) -> list[int]:
        """Positions of the images decided so, by rank, those of the decision named first before the others."""
        return [position for decision in decisions for position in self.ranked if self.decisions[position] is decision]

    def worst_patch(self, position: int) -> int:
        """The patch of the close-ups' grid at the worst place of an image, in reading order."""
        image, row = self.images[position], self.scores.iloc[position]
        peak = float(row["peak_x"]) / image.width, float(row["peak_y"]) / image.height
        scores, fine = self.patch_scores[position], self.fine_scores[position]
        return worst_patch(self.record, scores, fine, peak, listed=bool(self.listed[position]))

    def anomaly_map(self, position: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """The map of one image, float32 (H, W), at the size the scores were taken from unless given."""
        from musc.maps import map_size, maps_of_run  # loads torch, which programs that only look do not need

        map_shape = size or map_size(self.record.job.backbone.image_size, self.grid)
        return maps_of_run(self.patch_scores[position : position + 1], map_shape)[0]

    def odd_pixels(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """The map of one image, float32 (H, W), and its mask of defective pixels; nothing if it is accepted."""
        from musc.maps import map_size, maps_of_run

        map_shape = map_size(self.record.job.backbone.image_size, self.grid)
        maps = maps_of_run(np.stack([self.patch_scores[position], self.fine_scores[position]]), map_shape)
        threshold = self.pixel_threshold if self.listed[position] else float("nan")
        return maps[0], defect_mask(maps[0], maps[1], threshold)

    def mask(self, position: int, size: tuple[int, int]) -> np.ndarray:
        """Bool (H, W) at a size of (width, height): which of its pixels hold any of the image's defective ones.

        Nothing if the image is accepted.
        """
        mask = Image.fromarray(self.odd_pixels(position)[1].astype(np.float32))
        return np.asarray(mask.resize(size, Image.Resampling.BOX)) > 0

    def boxes(self, position: int, size: tuple[int, int]) -> list[Box]:
        """Boxes around the mask's regions at a size of (width, height), the most anomalous first; none if accepted."""
        regions = boxes(*self.odd_pixels(position), size[::-1])
        return [(box.x, box.y, box.x + box.width, box.y + box.height) for box in regions]

    def outlines(self, position: int) -> list[Outline]:
        """Outlines of the mask's regions in pixels of the photograph, the most anomalous first; none if accepted."""
        image = self.images[position]
        return outlines(*self.odd_pixels(position), (image.height, image.width))

    def photograph(self, position: int) -> Image.Image | None:
        """The image itself, upright RGB; None if it no longer lies in the folder as it was scored."""
        try:
            return decode(read_image(Store(self.folder), self.images[position]))
        except (ImageChangedError, UnreadableImageError, OSError):
            return None
