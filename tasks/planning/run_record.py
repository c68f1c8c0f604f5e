"""What a run's `run.json` says: what was run, on what, with which versions, and what was decided."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from storage.images.lot_tree import date_of
from storage.results.runs import Run
from tasks.planning.lot_job import LotJob, folder_name
from tasks.planning.specs import BlockRows


class Recorded(BaseModel):
    """Frozen, and plain JSON on disk."""

    model_config = ConfigDict(frozen=True)


class DecisionRecord(Recorded):
    """Which images are flagged, and by which rule."""

    rule: str
    score: str
    """Which score is compared: `raw_score`."""
    expected_false_alarms: float
    review_budget: int | None
    fixed_threshold: float | None
    threshold: float | None
    """Raw score at and above which images are flagged; None if nothing stands out."""
    separable: bool
    above_count: int
    flagged_count: int
    pixel_threshold: float | None
    """Value of the anomaly map at and above which pixels of flagged images are defective."""


class GroupRecord(Recorded):
    """Images that share the same flaw."""

    group: int
    image_ids: tuple[str, ...]
    paths: tuple[str, ...]
    patch_count: int


class RunKeys(Recorded):
    """What a run was made from, in the store."""

    run: str
    listing: str
    features: tuple[str, ...]
    patch_scores: tuple[str, ...]
    groups: tuple[str, ...]
    good: tuple[str, ...] = ()
    """Listing, features and patch scores of the known good images."""
    regions: tuple[str, ...] = ()


class RunRecord(Recorded):
    """Everything needed to run a lot again, together with its listing."""

    record_version: int
    recorded: str
    """When, UTC."""
    settings_digest: str
    job: LotJob
    decision: DecisionRecord
    groups: tuple[GroupRecord, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    earlier_references: tuple[BlockRows, ...]
    images: dict[str, int]
    """Files of the lot by status."""
    keys: RunKeys
    versions: dict[str, str]


def date_of_lot(job: LotJob) -> date | None:
    """The date at the beginning of a lot's name, the product left out, or else of its folder's; None without one."""
    return date_of(job.lot.removeprefix(f"{job.category}-")) or date_of(folder_name(job.folder))


def night_of(record: RunRecord) -> str:
    """The date of a run's lot, ISO 8601; the day it was recorded (UTC) where neither lot nor folder names a date."""
    found = date_of_lot(record.job)
    return found.isoformat() if found else record.recorded[:10]


def read_record(run: Run) -> RunRecord:
    """The record of a finished run."""
    return RunRecord.model_validate(run.record())
