"""A lot to be scored, every choice made and checked, and what of it decides results."""

import re
from dataclasses import dataclass, field, replace
from typing import ClassVar

from musc.layers import BackboneSpec
from musc.settings import BackboneArguments, ChosenSettings, Decisions
from musc.settings.pydantic_options import size_text
from planning.key_values import Identified, key_values
from planning.resources import Allocation
from planning.sizes.kept_size import KeptSize
from planning.sizes.smallest_flaw import FlawSize
from storage.images.least_images import LEAST_IMAGES


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
class OfProduct:
    """Settings of a job, or its threshold, that were accepted for its product."""

    path: str
    """Of what was accepted, in the store."""
    text: str
    """Which they are, who accepted them, when, and on which verdicts."""


@dataclass(frozen=True)
class LotJob(Identified):
    """One lot to be scored, every choice made and checked.

    Its identities change with every field but those named here, `field.inner` for one inside a field.
    """

    not_in_key: ClassVar[frozenset[str]] = frozenset(
        (
            *(
                "folder",
                "store",
                "allocation",
                "dataset",
                "kept_sizes",
                "flaw_size",
                "backbone.weights",
                "smaller.weights",
            ),
            *("of_product", "accepted_threshold"),
            *("good.folder", "good.listing", "region.path", "region.ignored"),
            *(f"settings.{name}" for name in ("backbone", "keep_aspect", *BackboneArguments.__annotations__)),
        )
    )
    """Places, of whose contents digests decide; how the work is done; and what the resolved backbone says."""
    not_in_scores: ClassVar[frozenset[str]] = not_in_key | {"lot", "category", "decisions"}
    """What decides no score of given images."""
    not_in_raw_scores: ClassVar[frozenset[str]] = (not_in_scores - {"category"}) | {
        *("settings.rscin_windows", "settings.references_from", "judged_good", "good")
    }
    """What may differ between raw scores that are compared from night to night: RsCIN comes after them, and which
    earlier images serve as references differs every night."""

    folder: str
    store: str
    lot: str
    category: str
    settings: ChosenSettings
    backbone: BackboneSpec
    """At the only image size, or the largest of several."""
    allocation: Allocation
    subsets: int = 1
    """Parts of the lot that are scored each by itself."""
    decisions: Decisions = field(default_factory=Decisions)
    judged_good: tuple[JudgedGood, ...] = ()
    """Images of earlier runs that people judged good, as they were when the job was made: references too."""
    good: KnownGood | None = None
    kept_sizes: tuple[KeptSize, ...] = ()
    """Where each image size comes from, smallest first, if proportions are kept."""
    flaw_size: FlawSize | None = None
    """What the smallest flaw chose, where the user names one: the image size, or tiles, that the job has."""
    of_product: OfProduct | None = None
    """Which settings were accepted for the product, where these are taken."""
    accepted_threshold: OfProduct | None = None
    """The threshold that somebody chose for the product, where `decisions` has it from there."""
    region: RegionOfInterest | None = None
    dataset: str = ""
    """Whose labels a benchmark compares with; empty for the lots of a product."""

    smaller: tuple[BackboneSpec, ...] = ()
    """The backbone at further image sizes, smallest first; patch scores of all sizes are averaged."""

    @property
    def backbones(self) -> tuple[BackboneSpec, ...]:
        """The backbone at every image size, smallest first."""
        return (*self.smaller, self.backbone)

    @property
    def size_text(self) -> str:
        """The image sizes in pixels as users write them, such as `320`, `224x448` or `320,512`."""
        return size_text(tuple(backbone.image_size for backbone in self.backbones))

    def at_each_size(self) -> tuple["LotJob", ...]:
        """Jobs of one image size each, smallest first: what they compute is what a run of that size alone computes."""
        if not self.smaller:
            return (self,)
        each = zip(self.backbones, self.settings.at_each_size(), strict=True)
        return tuple(replace(self, backbone=backbone, settings=one, smaller=()) for backbone, one in each)

    @property
    def accepted_text(self) -> str:
        """What was accepted for the product and is taken; empty where nothing is."""
        return "; ".join(own.text for own in (self.of_product, self.accepted_threshold) if own)

    @property
    def min_images(self) -> int:
        """Images a lot must hold to be scored: one has earlier or known-good images to be compared with."""
        return 1 if self.settings.references_from or self.judged_good or self.good else LEAST_IMAGES

    @property
    def shuffle_seed(self) -> int | None:
        """Deals the images of a benchmark to its subsets; None where there is one only."""
        return self.settings.seed if self.subsets > 1 else None

    @property
    def identity(self) -> dict[str, object]:
        """Everything that decides a run's tables, given its images, as plain JSON values."""
        return self.key_values(self.not_in_key)

    @property
    def score_identity(self) -> dict[str, object]:
        """Everything that decides the scores of given images, as plain JSON values."""
        return self.key_values(self.not_in_scores)

    @property
    def raw_score_identity(self) -> dict[str, object]:
        """What raw scores of one product must have in common to be compared from night to night."""
        values = self.key_values(self.not_in_raw_scores)
        if self.region and self.region.each:  # every night has other images, and so other masks
            values["region"] = "each"
        return values

    def key_values(self, not_in_key: frozenset[str]) -> dict[str, object]:
        """The job's fields but for those named, and for a seed that draws nothing, as plain JSON values."""
        draws = self.settings.references is not None or self.shuffle_seed is not None
        return key_values(self, not_in_key if draws else not_in_key | {"settings.seed"})


def folder_name(folder: str) -> str:
    """The last part of a path or URL."""
    return re.split(r"[/\\]", folder.rstrip("/\\"))[-1]


def backbone_identity(backbone: BackboneSpec) -> dict[str, object]:
    """What of a backbone decides its features: where the weights lie does not, their digest does."""
    return key_values(backbone, {"weights"})
