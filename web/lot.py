"""A lot opened for the site: a row per scored image, patch scores one image at a time, the colour scale."""

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import zarr

from musc.decisions.decision_words import Decision
from reports.page.causes import Causes, causes_path, read_causes
from reports.page.crops import worst_patch
from reports.page.heatmaps import ColourScale, colour_scale
from reports.run_record import RunRecord
from storage.artefacts import facts
from storage.errors import ImageChangedError, IncompleteError, UnreadableImageError
from storage.images.lots import ListedImage, left_out_rows, listed_images, read_image, usable_images
from storage.results.patch_scores import NAME, fine_array
from storage.results.profiles import read_appearance
from storage.results.runs import PATCH_SCORES, Run
from storage.store import Store

SHOWN = ("image_id", "path", "raw_score", "score", "rank", "peak_x", "peak_y", "decision", "p_value", "group")
"""Columns of `scores.parquet` that the site shows."""
SCALING = threading.Lock()


@dataclass(frozen=True)
class Lot:
    """N scored images; every position is that of the run's patch scores."""

    run: Run
    record: RunRecord
    table: pd.DataFrame
    """A row per image by position: the columns `SHOWN`, `width`, `height`, `brightness` and `sharpness`."""
    images: list[ListedImage]
    left_out: pd.DataFrame
    """Files that were not scored: `path`, `status`, `reason`."""
    boxes: pd.DataFrame
    """Regions of flagged and suspect images, as in `boxes.parquet`."""

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of each image by its id."""
        return {str(image_id): position for position, image_id in enumerate(self.table["image_id"])}

    @property
    def causes(self) -> Causes:
        """What is odd about its images; read once, and again where it was found out anew, in another unit."""
        try:
            key = str(facts(self.run.store, causes_path(self.run.path)).get("key"))
        except IncompleteError:
            return Causes()
        if key not in self._causes:
            self._causes.clear()
            self._causes[key] = read_causes(self.run)
        return self._causes[key]

    @cached_property
    def _causes(self) -> dict[str, Causes]:
        return {}

    @cached_property
    def has_appearance(self) -> bool:
        """Whether brightness and sharpness of any image are known, as they are not of benchmarks."""
        return bool(self.table["brightness"].notna().any())

    @cached_property
    def _scores(self) -> zarr.Array:
        return self.run.store.zarr_array(f"{self.run.path}/{PATCH_SCORES}/{NAME}")

    def patch_scores(self, position: int) -> np.ndarray:
        """Of one image, float32 (rows, columns); reads one chunk of the stored array."""
        return np.asarray(self._scores[position])

    def fine_scores(self, position: int) -> np.ndarray:
        """As `patch_scores`, of the levels with the finest grid."""
        return np.asarray(self._fine[position])

    @cached_property
    def _fine(self) -> zarr.Array:
        return fine_array(self.run.store, f"{self.run.path}/{PATCH_SCORES}")

    def worst_patch(self, position: int) -> int:
        """The patch of the close-ups' grid at the worst place of an image, in reading order, as in its report."""
        image, row = self.images[position], self.table.iloc[position]
        peak = float(row["peak_x"]) / image.width, float(row["peak_y"]) / image.height
        listed = bool(row["decision"] != Decision.ACCEPTED)
        return worst_patch(self.record, self.patch_scores(position), self.fine_scores(position), peak, listed=listed)

    @property
    def limits(self) -> ColourScale:
        """The ends of the lot's one colour scale, the same as in its report; reads all patch scores once."""
        with SCALING:  # many thumbnails are asked for at once, and all patch scores are large
            return self._limits

    @cached_property
    def _limits(self) -> ColourScale:
        return colour_scale(self.run.patch_scores())

    def content(self, position: int) -> bytes | None:
        """The image's file; None if it no longer lies in the folder as it was scored."""
        try:
            return read_image(Store(str(self.record.job.folder)), self.images[position])
        except (ImageChangedError, UnreadableImageError, OSError):
            return None


def open_lot(store: Store, path: str, record: RunRecord, profile: str) -> Lot:
    """Read the tables of a run.

    Args:
        profile: path of its profile; empty if it has none.

    Raises:
        IncompleteError: naming what is missing.
    """
    run = Run(store, path)
    listing = run.images()
    images = usable_images(listed_images(listing))
    scores = run.scores().set_index("image_id", drop=False)
    table = scores.reindex(columns=list(SHOWN)).loc[[image.image_id for image in images]].reset_index(drop=True)
    table["width"], table["height"] = [image.width for image in images], [image.height for image in images]
    table["name"] = [PurePosixPath(image.path).name for image in images]
    appearance = read_appearance(store, profile) if profile else pd.DataFrame({"image_id": []}, dtype="string")
    by_image = appearance.set_index("image_id").reindex(table["image_id"])
    for column in ("brightness", "sharpness"):
        table[column] = by_image[column].to_numpy() if column in by_image else np.nan
    left_out = left_out_rows(listing)[["path", "status", "reason"]]
    return Lot(run, record, table, images, left_out, run.boxes())
