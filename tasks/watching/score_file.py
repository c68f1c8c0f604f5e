"""One photograph of a watched folder: read, scored and made a row."""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from musc.decisions.choose_threshold import lot_thresholds
from musc.decisions.decide_images import decision_of
from storage.errors import ImageChangedError, UnreadableImageError
from storage.images.listing import list_files
from storage.images.lots import USABLE, ListedImage, read_image
from storage.results.arrivals import Arrival, Arrivals, Thresholds, arrival_id
from storage.store import Store
from tasks.watching.reference_bank import Bank
from tasks.watching.stable_files import FileState

ScoreAndPeak = tuple[float, tuple[float, float]]
"""Raw score, and the peak as fractions of the image's height and width."""


@dataclass(frozen=True)
class Limits:
    """From which raw scores on photographs are flagged or suspect."""

    flag_threshold: float
    """Infinite where nothing decides one."""
    suspect_threshold: float
    good_scores: np.ndarray
    """(G,), of the references, each scored against the others; empty where they are too few to decide anything."""

    def p_value(self, raw_score: float) -> float | None:
        """How often a good part scores as high; None where the references are too few to say."""
        if not len(self.good_scores):
            return None
        return float(lot_thresholds(np.array([raw_score]), good_scores=self.good_scores).p_values[0])

    @property
    def columns(self) -> Thresholds:
        """Both thresholds as a row has them; None for one that nothing reaches."""
        thresholds = self.flag_threshold, self.suspect_threshold
        flag, suspect = (float(value) if np.isfinite(value) else None for value in thresholds)
        return {"threshold": flag, "suspect_threshold": suspect}


@dataclass(frozen=True)
class Watch:
    """What photographs are scored with and where their rows are kept."""

    folder: Path
    bank: Bank
    arrivals: Arrivals
    limits: Limits


@dataclass(frozen=True)
class ScoredFile:
    """What reading a file gave."""

    name: str
    """Of its row."""
    row: Arrival | None
    """None for a photograph that has its row already."""


def score_file(
    watch: Watch, path: str, state: FileState, names: Collection[str], *, patient: bool
) -> ScoredFile | None:
    """Score one file unless it is known; None while it may still be incomplete.

    Args:
        watch: what it is scored with.
        path: relative to the watched folder.
        patient: whether a file that cannot be decoded is taken for incomplete.

    Raises:
        OSError: of a disk or a share, which may come back.
    """
    started, folder = time.perf_counter(), Store(str(watch.folder))
    (image,) = list_files(folder, [path])
    name = arrival_id(image.path, image.sha256)
    if name in names:
        return ScoredFile(name, None)
    reason, scored = image.reason, None
    if image.status == USABLE:
        try:
            scored = watch.bank.score(read_image(folder, image), image.sha256)
        except ImageChangedError:
            return None
        except UnreadableImageError as error:
            image, reason = replace(image, status="unreadable"), str(error)
    if image.status == "unreadable" and patient:
        return None
    return ScoredFile(name, table_row(watch, image, state, reason, scored, time.perf_counter() - started))


def table_row(
    watch: Watch, image: ListedImage, state: FileState, reason: str, scored: ScoreAndPeak | None, seconds: float
) -> Arrival:
    """One row of the table, as plain values; without a score for files that could not be scored."""
    raw, (peak_row, peak_column) = scored or (float("nan"), (-1, -1))
    limits = watch.limits
    return {
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "category": watch.bank.job.category,
        "path": image.path,
        "sha256": image.sha256,
        "status": image.status,
        "reason": reason,
        "raw_score": raw if scored else None,
        "decision": decision_of(raw, limits.flag_threshold, limits.suspect_threshold).value if scored else "",
        "p_value": limits.p_value(raw) if scored else None,
        **limits.columns,
        "peak_x": int(peak_column * image.width) if scored else -1,
        "peak_y": int(peak_row * image.height) if scored else -1,
        "width": image.width,
        "height": image.height,
        "size": state.size,
        "modified_ns": state.modified_ns,
        "changed_ns": state.changed_ns,
        "seconds": round(seconds, 4),
    }
