"""Task specs of `musc tune`: a lot scored with several choices, and the choices judged by verdicts."""

from dataclasses import dataclass

from musc.plan.shards import Shard
from musc.settings import Decisions
from planning.lot_job import LotJob
from planning.stage_versions import PATCH_SCORES_VERSION, TRIAL_VERSION, TUNING_VERSION
from planning.task_specs import KnownGoodSpecs, Spec
from planning.tuning.choices import Choice
from storage.artefacts import digest
from storage.given_names import short_name

TRIALS, TUNINGS = "trials", "tunings"
MIN_OF_EACH = 5
"""Verdicts of each kind below which no choice is judged."""


@dataclass(frozen=True)
class TrialSpec(Spec):
    """Image scores of a lot for choices that share its patch scores: of one network at one size."""

    stage = "trial"
    version = TRIAL_VERSION
    not_in_key = Spec.not_in_key | {"shards", "blocks", "known"}
    """How the work was divided; what is scored follows from the job and the listing."""

    job: LotJob
    lot_key: str
    choices: tuple[Choice, ...]
    blocks: tuple[str, ...] = ()
    """Of the lot's features."""
    shards: tuple[tuple[Shard, str], ...] = ()
    """Each shard with the path of its patch scores."""
    known: KnownGoodSpecs | None = None
    """What is made of known good images, where the job has any."""
    unit = "lots"

    @property
    def path(self) -> str:
        return f"{TRIALS}/{self.key}"

    @property
    def label(self) -> str:
        return f"{self.job.lot} {self.job.backbone.name} {self.job.size_text}"


@dataclass(frozen=True)
class Labelled:
    """The judged photographs of one lot, and its trials."""

    run: str
    """Path of the run that was judged."""
    defective: tuple[str, ...]
    """SHA-256 of each."""
    good: tuple[str, ...]
    trials: tuple[str, ...]
    """Paths of the lot's trials; together they hold every choice."""


@dataclass(frozen=True)
class TuneSpec(Spec):
    """Judge choices by the verdicts about several lots."""

    stage = "tune"
    version = TUNING_VERSION

    choices: tuple[Choice, ...]
    """The first is the one in use."""
    lots: tuple[Labelled, ...]
    decisions: Decisions
    """By which images would have been listed."""
    unit = "product"

    @property
    def path(self) -> str:
        return f"{TUNINGS}/{short_name(self.category, f'-{self.key[:8]}')}"


def trial_spec(job: LotJob, lot_key: str, choices: tuple[Choice, ...]) -> TrialSpec:
    """The spec of a lot's trial; its key is known before any work."""
    source = digest({"patch_scores": PATCH_SCORES_VERSION})
    return TrialSpec(source, job.category, job.store, job, lot_key, choices)
