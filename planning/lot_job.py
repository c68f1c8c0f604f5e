"""A lot to be scored, every choice made and checked, and what of it decides results."""

import re
from dataclasses import asdict, dataclass, field

from musc.layers import BackboneSpec
from musc.settings import ChosenSettings, Decisions
from planning.proportions import KeptSize
from planning.resources import Allocation


@dataclass(frozen=True)
class JudgedGood:
    """Images of one run."""

    run: str
    """Path in the store."""
    image_ids: tuple[str, ...]
    """Sorted."""


@dataclass(frozen=True)
class KnownGood:
    """Photographs of good parts that are references and are not scored."""

    folder: str
    listing: str = ""
    """Key of their listing in the store; empty until they are listed."""
    contents: str = ""
    """Digest of their contents, in whatever order and under whatever names."""


@dataclass(frozen=True)
class RegionOfInterest:
    """The region of interest of a job's images."""

    path: str
    """Of the mask, or of the folder of masks; empty where nothing but drawn places is left out."""
    each: bool
    """Whether every image has its own."""
    patches: str = ""
    """Where the store has the patches inside; empty until the masks are read."""
    ignored: str = ""
    """Where the store has the places that people drew to be ignored; empty for none."""


@dataclass(frozen=True)
class LotJob:
    """One lot to be scored, every choice made and checked."""

    folder: str
    store: str
    lot: str
    category: str
    settings: ChosenSettings
    backbone: BackboneSpec
    allocation: Allocation
    subsets: int = 1
    """Parts of the lot that are scored each by itself."""
    decisions: Decisions = field(default_factory=Decisions)
    judged_good: tuple[JudgedGood, ...] = ()
    """Images of earlier runs that people judged good, as they were when the job was made: references too."""
    good: KnownGood | None = None
    kept_size: KeptSize | None = None
    """Where the backbone's image size comes from, if proportions are kept."""
    region: RegionOfInterest | None = None
    dataset: str = ""
    """Whose labels a benchmark compares with; empty for the lots of a product."""

    @property
    def min_images(self) -> int:
        """Images a lot must hold to be scored: one has earlier or known-good images to be compared with."""
        return 1 if self.settings.references_from or self.judged_good or self.good else 2

    @property
    def shuffle_seed(self) -> int | None:
        """Deals the images of a benchmark to its subsets; None where there is one only."""
        return self.settings.seed if self.subsets > 1 else None

    @property
    def raw_score_identity(self) -> dict[str, object]:
        """What raw scores of one product must have in common to be compared from night to night.

        RsCIN comes after raw scores, and which earlier images serve as references differs from night to night.
        """
        passing = ("rscin_windows", "references_from", "judged_good", "good")
        alike = {name: value for name, value in self.identity.items() if name not in passing}
        if self.region and self.region.each:  # every night has other images, and so other masks
            alike["region"] = "each"
        return {"category": self.category, **alike}

    @property
    def run_identity(self) -> dict[str, object]:
        """Everything that decides a run's tables, given its images, as plain JSON values."""
        decisions = self.decisions.model_dump()
        return {"lot": self.lot, "category": self.category, "scores": self.identity, "decisions": decisions}

    @property
    def identity(self) -> dict[str, object]:
        """Everything that decides the scores of given images, as plain JSON values; part of the run's key."""
        decided = {
            "backbone",
            "keep_aspect",
            *self.settings.backbone_arguments(),
        }  # all of it the backbone's
        settings = self.settings.model_dump(exclude=decided)
        if self.settings.references is None and self.shuffle_seed is None:
            del settings["seed"]
        if self.settings.tile is None:
            for name in ("tile", "overlap", "tile_references"):
                del settings[name]
        judged = {"judged_good": [asdict(images) for images in self.judged_good]} if self.judged_good else {}
        good = {"good": self.good.contents} if self.good else {}
        region = {"region": self.region.patches} if self.region else {}
        whole = {"backbone": backbone_identity(self.backbone), "subsets": self.subsets, **settings}
        return {**whole, **judged, **good, **region}


def folder_name(folder: str) -> str:
    """The last part of a path or URL."""
    return re.split(r"[/\\]", folder.rstrip("/\\"))[-1]


def backbone_identity(backbone: BackboneSpec) -> dict[str, object]:
    """What of a backbone decides its features: where the weights lie does not, their digest does."""
    identity = asdict(backbone)
    del identity["weights"]
    return identity
