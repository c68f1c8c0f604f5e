"""Specs: what each task has to do, as small frozen values. Every spec has a key, computed from its own fields."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

from musc.layers import BackboneSpec
from musc.option_ranges import Interval
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shards import Shard
from musc.settings import ChosenSettings
from planning.key_values import Identified, key_values
from planning.lot_job import LotJob
from planning.stage_versions import (
    AGGREGATED_VERSION,
    FEATURES_VERSION,
    GROUPS_VERSION,
    METRICS_VERSION,
    PATCH_SCORES_VERSION,
    RUN_VERSION,
)
from storage.artefacts import digest
from storage.given_names import short_name
from storage.results.features import AGGREGATED, FEATURES
from storage.results.groups import FOLDER as GROUPS
from storage.results.patch_scores import FOLDER as PATCH_SCORES
from storage.results.runs import FOLDER as RUNS

METRICS = "metrics"


@dataclass(frozen=True)
class Spec(Identified):
    """What every spec is: a stage's work on one category, whose key changes with every field not named otherwise."""

    stage: ClassVar[str]
    version: ClassVar[int]
    """Of what the stage computes."""
    not_in_key: ClassVar[frozenset[str]] = frozenset({"category", "store"})
    """Fields that decide nothing, `field.inner` for one inside a field: names and places hold no content."""

    source: str
    """Key of what is read, where other fields name only its place: images, a run; empty where they say all."""
    category: str
    store: str

    @cached_property
    def key(self) -> str:
        """The digest of all that decides what the spec makes."""
        return digest({"stage": self.stage, "version": self.version, **key_values(self, self.not_in_key)})

    @property
    def identity(self) -> str:
        return self.key

    @property
    @abstractmethod
    def path(self) -> str:
        """The artefact this spec makes."""

    @property
    def label(self) -> str:
        return self.category

    @property
    @abstractmethod
    def unit(self) -> str:
        """What is counted, as progress names it."""

    @property
    def size(self) -> int:
        """Units of work, for progress."""
        return 1


@dataclass(frozen=True)
class ExtractSpec(Spec):
    """Extract the features of the usable images [start, stop) of a lot."""

    stage = "features"
    version = FEATURES_VERSION
    not_in_key = Spec.not_in_key | {"folder", "lot_key", "start", "stop", "device", "settings", "backbone.weights"}
    """Where images and weights lie, of which the digests decide; the cuts of tiles are in the source."""

    folder: str
    lot_key: str
    start: int
    stop: int
    backbone: BackboneSpec
    device: str
    settings: ChosenSettings | None = None
    """Where images are scored as tiles: how they are cut; start and stop count tiles, image by image, then."""

    @property
    def path(self) -> str:
        return f"{FEATURES}/{self.key}"

    @property
    def label(self) -> str:
        return f"{self.category} {self.start}-{self.stop - 1}"

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def unit(self) -> str:
        return "tiles" if self.settings else "images"


@dataclass(frozen=True)
class AggregateSpec(Spec):
    """Write one block's features at one layer and degree after LNAMD."""

    stage = "aggregated"
    version = AGGREGATED_VERSION
    not_in_key = Spec.not_in_key | {"position", "device"}
    """Where the block lies in the lot, and where it is computed."""

    block: str
    grid: tuple[int, int]
    layer: int
    degree: int
    position: int
    device: str = "auto"
    """Where it is computed: as shards would."""
    unit = "parts"

    @property
    def path(self) -> str:
        return f"{AGGREGATED}/{self.key}"

    @property
    def label(self) -> str:
        return f"{self.category} block {self.position} layer {self.layer} degree {self.degree}"


@dataclass(frozen=True)
class BlockRows:
    """Images of one stored block."""

    block: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class RegionRows:
    """The region of interest of each image, as a row of a stored artefact."""

    path: str
    lot: tuple[int, ...]
    """Of every image of the lot with usable features."""
    earlier: tuple[int, ...]
    """Of every further reference."""


@dataclass(frozen=True)
class ScoreSpec(Spec):
    """Score the query images of one shard against the lot, or a sample of it, and images of earlier lots."""

    stage = "patch_scores"
    version = PATCH_SCORES_VERSION
    not_in_key = Spec.not_in_key | {"aggregated", "comparison.device", "comparison.masked"}
    """How scores are computed; whether patches are masked follows from the other fields."""

    blocks: tuple[str, ...]
    comparison: LayerComparison
    """Of the shard's layer."""
    lot_range: tuple[int, int]
    """The images [first, last) that are scored against each other: the lot, or one subset of it."""
    shard: Shard
    interval: Interval
    aggregated: tuple[tuple[str, ...], ...] = ()
    """For each degree the blocks after LNAMD; empty where it is applied while features are read."""
    groups: str | None = None
    """Path of the lot's groups, whose shared patches no query may match; None where all patches may be matched."""
    sample: tuple[int, ...] | None = None
    """Positions in the lot of the images that serve as references, in the order drawn; None is all of `lot_range`."""
    earlier: tuple[BlockRows, ...] = ()
    """References from earlier lots; their features are stored before LNAMD."""
    tiles: int = 1
    """Tiles of each image; the lot is then all tiles, position by position, and no tile meets one of its own image."""
    region: RegionRows | None = None
    """Patches outside are neither scored, and NaN, nor matched; None where all are looked at."""
    unit = "shards"

    def on(self, device: str) -> Self:
        """The same compared on another device."""
        return replace(self, comparison=replace(self.comparison, device=device))

    @property
    def path(self) -> str:
        return f"{PATCH_SCORES}/{self.key}"

    @property
    def label(self) -> str:
        shard = self.shard
        return f"{self.category} layer {shard.layer} images {shard.start}-{shard.stop - 1}"


@dataclass(frozen=True)
class GroupSpec(Spec):
    """Find the images of a lot that share the same flaw."""

    stage = "groups"
    version = GROUPS_VERSION

    parts: tuple[ScoreSpec, ...]
    """The shards of one layer; together they hold every image as a query."""
    degree: int
    """At which images are compared."""
    unit = "search"

    @property
    def path(self) -> str:
        return f"{GROUPS}/{self.key}"


@dataclass(frozen=True)
class KnownGoodSpecs:
    """What is made of a job's known good images."""

    listing: str
    """Path of their listing."""
    blocks: tuple[str, ...]
    """Of their features."""
    shards: tuple[tuple[Shard, str], ...] = ()
    """Of their own scores, each scored against the others; none where they decide no threshold."""
    image_count: int = 0
    """How many of them were scored."""


@dataclass(frozen=True)
class RunSpec(Spec):
    """Put the scores of a lot together and write its run."""

    stage = "run"
    version = RUN_VERSION
    not_in_key = Spec.not_in_key | {"blocks", "shards", "groups", "earlier", "good", "nights", "smaller_blocks"}
    """How the work was divided, and what the job and the listing decide: a complete run is found before any work.

    Earlier nights, which take part in the decision, are not in the key either: a run keeps what was decided once.
    """

    job: LotJob
    lot_key: str
    blocks: tuple[str, ...]
    shards: tuple[tuple[Shard, str], ...]
    """Each shard with the path of its patch scores."""
    groups: str | None = None
    """Path of the lot's groups, where they were sought."""
    earlier: tuple[BlockRows, ...] = ()
    """References from earlier lots, and known good ones."""
    good: KnownGoodSpecs | None = None
    nights: tuple[str, ...] = ()
    """Paths of runs of earlier nights whose scores take part in the decision, oldest first."""
    smaller_blocks: tuple[tuple[str, ...], ...] = ()
    """Of the lot's features at each image size but the largest, smallest first."""
    unit = "run"

    @property
    def path(self) -> str:
        return f"{RUNS}/{short_name(self.job.lot, f'-{self.key[:8]}')}"

    @property
    def label(self) -> str:
        return self.job.lot


@dataclass(frozen=True)
class EvaluateSpec(Spec):
    """Compare one scored category with its labels and masks."""

    stage = "evaluate"
    version = METRICS_VERSION
    not_in_key = Spec.not_in_key | {"root", "run", "labels"}
    """Places, of whose contents the source is made."""

    dataset: str
    root: str
    run: str
    labels: str
    """Path of the category in the store."""
    unit = "category"

    @property
    def path(self) -> str:
        return f"{METRICS}/{self.key}"
