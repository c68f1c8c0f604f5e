"""What a run's `run.json` says: what was run, on what, with which versions, and what was decided."""

import json
from datetime import date

from pydantic import BaseModel, ConfigDict, ValidationError

from musc.decisions.decision_words import Basis
from musc.layers import BackboneSpec
from planning.lot_job import LotJob, backbone_identity, folder_name
from planning.stage_versions import RECORD_VERSION
from planning.task_results import ScoredRun
from planning.task_specs import BlockRows
from storage.errors import DamagedError, FormatVersionError
from storage.images.folder_dates import date_of
from storage.images.lots import USABLE, format_left_out
from storage.results.runs import RECORD, Run


class Recorded(BaseModel):
    """Frozen, and plain JSON on disk."""

    model_config = ConfigDict(frozen=True)


class DecisionRecord(Recorded):
    """Which images are flagged or suspect, and by which rule."""

    score: str
    """Which score is compared: `raw_score`."""
    flag_basis: Basis
    """Where the threshold of flagged images comes from."""
    basis: Basis
    """Where the threshold of suspect images and the p-values come from."""
    reference_count: int
    """From how many parts they come."""
    nights: tuple[str, ...]
    """Paths of the earlier runs whose scores were given to the rule, oldest first."""
    expected_false_alarms: float
    suspects: float
    """Share of the good images expected to be flagged or suspect."""
    review_budget: int | None
    fixed_threshold: float | None
    threshold: float | None
    """Raw score at and above which images are flagged; None if nothing stands out so far."""
    suspect_threshold: float | None
    """Raw score at and above which images are suspect; None if none can be."""
    above_count: int
    """Images to look at before the review budget."""
    flagged_count: int
    suspect_count: int
    remark: str
    """A sentence of the rule about the lot, such as two groups of images; empty where nothing must be said."""
    pixel_threshold: float | None
    """Value of the anomaly map at and above which pixels of flagged and suspect images are odd."""

    @property
    def listed_count(self) -> int:
        """Images to look at."""
        return self.flagged_count + self.suspect_count


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
    """Of the lot at its only image size, or the largest."""
    patch_scores: tuple[str, ...]
    groups: tuple[str, ...]
    good: tuple[str, ...] = ()
    """Listing, features and patch scores of the known good images."""
    regions: tuple[str, ...] = ()
    smaller_features: tuple[tuple[str, ...], ...] = ()
    """Of the lot at each smaller image size, smallest first."""


class RunRecord(Recorded):
    """Everything needed to run a lot again, together with its listing."""

    record_version: int
    recorded: str
    """When, UTC."""
    recorded_day: str
    """The same moment's date in the zone of the machine that recorded it, ISO 8601."""
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

    def features_of(self, backbone: BackboneSpec) -> tuple[str, ...]:
        """Paths of the blocks of features that a backbone at one image size made; none if the run has no such."""
        wanted = backbone_identity(backbone)
        for one, blocks in zip(self.job.backbones, (*self.keys.smaller_features, self.keys.features), strict=True):
            if backbone_identity(one) == wanted:
                return blocks
        return ()

    @property
    def accepted_threshold(self) -> str:
        """Which threshold somebody chose for the product, and who; empty where none was taken."""
        return self.job.accepted_threshold.text if self.job.accepted_threshold else ""

    @property
    def image_count(self) -> int:
        """Images that were scored."""
        return self.images.get(USABLE, 0)

    @property
    def file_count(self) -> int:
        """Files of the lot's folder."""
        return sum(self.images.values())

    @property
    def left_out_count(self) -> int:
        """Files that were not scored."""
        return self.file_count - self.image_count

    @property
    def left_out(self) -> str:
        """How many files were not scored, by status, as people read it; empty if all were."""
        return format_left_out(self.images)


def date_of_lot(job: LotJob) -> date | None:
    """The date at the beginning of a lot's name, the product left out, or else of its folder's; None without one."""
    return date_of(job.lot.removeprefix(f"{job.category}-")) or date_of(folder_name(job.folder))


def night_of(record: RunRecord) -> str:
    """The date of a run's lot, ISO 8601; the local day it was recorded where neither lot nor folder names a date."""
    lot_date = date_of_lot(record.job)
    return lot_date.isoformat() if lot_date else record.recorded_day


def read_record(run: Run) -> RunRecord:
    """The record of a finished run; see `parse_record` for what it raises."""
    return parse_record(run.record_content(), run.store.location(run.path))


def parse_record(content: bytes, path: str) -> RunRecord:
    """A run's record from the bytes of its `run.json`.

    Args:
        path: of the run, for messages.

    Raises:
        FormatVersionError: if another release wrote it.
        DamagedError: if it is not a record, naming what is wrong first.
    """
    try:
        values = json.loads(content)
        version = values["record_version"]
    except (ValueError, TypeError, KeyError):
        raise DamagedError(
            f"{RECORD} of {path} must hold a run's record, got something else; delete the run and score its lot again"
        ) from None
    if version != RECORD_VERSION:
        raise FormatVersionError(
            f"{RECORD} of {path} must have version {RECORD_VERSION}, got {version}; use the release that wrote it, or "
            "score the lot again"
        )
    try:
        return RunRecord.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise DamagedError(
            f"{RECORD} of {path} must hold a run's record, but {'.'.join(map(str, first['loc']))} is wrong "
            f"({first['msg']}); delete the run and score its lot again"
        ) from None


def scored_run(path: str, record: RunRecord) -> ScoredRun:
    """The reference to a finished run at a path of the store, as the stage that wrote it returns it."""
    return ScoredRun(run=path, key=record.keys.run, images=record.image_count, files=record.file_count)
