"""Specs: what each task has to do, as small frozen values. Every spec carries a key, the digest of what it reads."""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

from musc.layers import BackboneSpec
from musc.option_ranges import Interval
from musc.plan.comparison import LayerComparison
from musc.plan.partition import Shard
from musc.settings import ChosenSettings
from planning.lot_job import LotJob
from storage.names import short_name
from storage.results.features import AGGREGATED, FEATURES
from storage.results.groups import FOLDER as GROUPS
from storage.results.patch_scores import FOLDER as PATCH_SCORES
from storage.results.runs import FOLDER as RUNS

METRICS = "metrics"


class TaskSpec(Protocol):
    """A spec that makes an artefact."""

    @property
    def key(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def category(self) -> str: ...

    @property
    def store(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int:
        """Units of work, for progress."""
        ...

    @property
    def unit(self) -> str:
        """What is counted, as progress names it."""
        ...


@dataclass(frozen=True)
class ExtractSpec:
    """Extract the features of the usable images [start, stop) of a lot."""

    key: str
    category: str
    store: str
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
        """The artefact this spec makes."""
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
class AggregateSpec:
    """Write one block's features at one layer and degree after LNAMD."""

    key: str
    category: str
    store: str
    block: str
    grid: tuple[int, int]
    layer: int
    degree: int
    position: int
    device: str = "auto"
    """Where it is computed: as shards would."""
    unit: ClassVar[str] = "parts"

    @property
    def path(self) -> str:
        return f"{AGGREGATED}/{self.key}"

    @property
    def label(self) -> str:
        return f"{self.category} block {self.position} layer {self.layer} degree {self.degree}"

    @property
    def size(self) -> int:
        return 1


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
class ScoreSpec:
    """Score the query images of one shard against the lot, or a sample of it, and images of earlier lots."""

    key: str
    category: str
    store: str
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
    """Positions in the lot of the images that serve as references, in the order drawn; None is all."""
    earlier: tuple[BlockRows, ...] = ()
    """References from earlier lots; their features are stored before LNAMD."""
    tiles: int = 1
    """Tiles of each image; the lot is then all tiles, position by position, and no tile meets one of its own image."""
    region: RegionRows | None = None
    """Patches outside are neither scored, and NaN, nor matched; None where all are looked at."""
    unit: ClassVar[str] = "shards"

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

    @property
    def size(self) -> int:
        return 1


@dataclass(frozen=True)
class GroupSpec:
    """Find the images of a lot that share the same flaw."""

    key: str
    parts: tuple[ScoreSpec, ...]
    """The shards of one layer; together they hold every image as a query."""
    degree: int
    """At which images are compared."""
    unit: ClassVar[str] = "search"

    @property
    def category(self) -> str:
        return self.parts[0].category

    @property
    def store(self) -> str:
        return self.parts[0].store

    @property
    def path(self) -> str:
        return f"{GROUPS}/{self.key}"

    @property
    def label(self) -> str:
        return self.category

    @property
    def size(self) -> int:
        return 1


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
class RunSpec:
    """Put the scores of a lot together and write its run."""

    key: str
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
    unit: ClassVar[str] = "run"

    @property
    def category(self) -> str:
        return self.job.category

    @property
    def store(self) -> str:
        return self.job.store

    @property
    def path(self) -> str:
        return f"{RUNS}/{short_name(self.job.lot, f'-{self.key[:8]}')}"

    @property
    def label(self) -> str:
        return self.job.lot

    @property
    def size(self) -> int:
        return 1


@dataclass(frozen=True)
class EvaluateSpec:
    """Compare one scored category with its labels and masks."""

    key: str
    dataset: str
    category: str
    store: str
    root: str
    run: str
    labels: str
    """Path of the category in the store."""
    unit: ClassVar[str] = "category"

    @property
    def path(self) -> str:
        return f"{METRICS}/{self.key}"

    @property
    def label(self) -> str:
        return self.category

    @property
    def size(self) -> int:
        return 1
