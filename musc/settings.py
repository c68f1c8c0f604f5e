"""What a user may choose about the method: every option once, with its description, default and range.

| model | its options decide |
|---|---|
| `Settings` | the scores of a lot, given its images |
| `Decisions` | which images are flagged or suspect, given their scores |
| `planning.resources.Resources` | neither: where the work is done, and with how much memory |

Flows take the models whole. The command line, the form of a deployment and docs/options.md are made from the fields; a
new option is one field here, and the place that uses it. Importing this module loads no torch.
"""

from typing import Annotated, Literal, Self, TypedDict, cast

from pydantic import AfterValidator, model_validator

from musc.option_ranges import (
    PAPER_INTERVAL,
    Interval,
    require_degrees,
    require_interval,
    require_rscin_windows,
    require_suspects,
)
from musc.pydantic_options import CommaList, Numbers, Options, Share, Sizes, option, size_text

DEFAULT_BACKBONE = "efficientnet-lite0"
"""Scores lots by default: its weights are installed with this project."""
PAPER_BACKBONE = "ViT-L-14-336"
"""The backbone of the paper's main table, and of benchmarks by default."""

ImageScore = Literal["max", "contrast", "position", "balanced"]
ImageSize = int | tuple[int, int]
"""A side, or height and width, in pixels."""
ImageSizes = ImageSize | tuple[tuple[int, int], ...]
"""One size, or the height and width of several, smallest first."""
Degrees = Annotated[tuple[int, ...], *CommaList, AfterValidator(require_degrees)]
Windows = Annotated[tuple[int, ...], *CommaList, AfterValidator(require_rscin_windows)]


WITHOUT_TILES = (
    *("exclude_groups", "references_from", "keep_aspect"),
    *("good", "good_from_verdicts", "roi", "ignore_drawn", "subsets"),
)
"""What cannot go with `tile`: the first three are settings, the others say what a request is about."""


def needs_usual(image_score: ImageScore) -> bool:
    """Whether a score depends on what is usual at each place.

    >>> needs_usual("balanced"), needs_usual("contrast")
    (True, False)
    """
    return image_score in ("position", "balanced")


class BackboneArguments(TypedDict):
    """What decides a backbone's features beside its name; `Settings` says what each means."""

    weights: str | None
    image_size: ImageSize | None
    layers: tuple[int, ...] | None
    quick_gelu: bool | None
    position_antialias: bool
    precision: str


class OneBackbone(Options):
    """The network, where there is one."""

    backbone: str | None = option(
        None,
        "Network whose features are compared. efficientnet-lite0, -lite1 or -lite2 (installed), a name such as "
        "dinov2_vitl14, any open_clip ViT, timm:MODEL, or texture, a filter bank for trials. "
        f"Default: {DEFAULT_BACKBONE}.",
        common=True,
    )


class PatchSettings(Options):
    """How images become features, how patches are compared, and what makes an image's score of them."""

    weights: str | None = option(
        None, "A tag of the model's library, or a local file (.safetensors, .pt). Default: installed or published."
    )
    image_size: Annotated[ImageSizes, Sizes] | None = option(
        None,
        "Pixels to which images are resized. A side, height x width such as 392x518, or several as 320,512, whose "
        "scores are averaged. Default: 320 for convolutional networks, else as published.",
        metavar="PIXELS,…",
        common=True,
    )
    layers: Annotated[tuple[int, ...], *CommaList] | None = option(
        None,
        "0-based, growing: transformer blocks, default the ends of four equal parts, 5,11,17,23 of 24; or levels of a "
        "convolutional network, default those of stride 8 and more.",
        metavar="N,N,…",
        expert=True,
    )
    quick_gelu: bool | None = option(
        None,
        "OpenAI CLIP's activation, QuickGELU instead of GELU. Default: as published, at the model's own image size "
        "only.",
        expert=True,
    )
    position_antialias: bool = option(
        False, "Resize the position embedding with antialiasing; the published numbers are without.", expert=True
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = option(
        "auto",
        "What the backbone computes in. auto: float16 on a GPU as published, else float32.",
        expert=True,
    )
    degrees: Degrees | None = option(
        None,
        "Sides of the LNAMD neighbourhoods in patches, odd. Default: 1,3,5 as in the paper; convolutional networks: "
        "1,3.",
        metavar="N,N,…",
        expert=True,
    )
    interval: Annotated[Interval, Numbers, AfterValidator(require_interval)] = option(
        PAPER_INTERVAL,
        "Fractions of the references, nearest first, between which distances are averaged.",
        metavar="LOW,HIGH",
        expert=True,
    )
    match_radius: int | None = option(
        None,
        "Match a patch only within so many rows and columns of patches of its own position, for aligned parts. "
        "Default: everywhere.",
        metavar="PATCHES",
        ge=0,
    )
    image_score: ImageScore = option(
        "max",
        "What of its map is an image's score. max: the maximum; contrast: less the map's own low quantile, for "
        "photographs that are turned, darker or noisier as a whole; position: less the median of all maps at the same "
        "place, for parts that lie alike; balanced: mostly max, with a part of both others.",
    )

    def at_each_size(self) -> tuple[Self, ...]:
        """These settings with one image size each, smallest first; themselves alone where there is one."""
        sizes = self.image_size
        if sizes is None or isinstance(sizes, int):
            return (self,)
        pairs = [size for size in sizes if isinstance(size, tuple)]
        return tuple(self.changed(image_size=size) for size in pairs) if pairs else (self,)

    def backbone_arguments(self) -> BackboneArguments:
        """The keyword arguments of `musc.backbones.resolve` and `load`.

        Raises:
            ValueError: if there are several image sizes; see `at_each_size`.
        """
        if len(self.at_each_size()) > 1:
            raise ValueError(
                f"image_size must be one size for one backbone, got {size_text(self.image_size)}; "
                "resolve each with at_each_size"
            )
        return {
            "weights": self.weights,
            "image_size": cast(ImageSize | None, self.image_size),
            "layers": self.layers,
            "quick_gelu": self.quick_gelu,
            "position_antialias": self.position_antialias,
            "precision": self.precision,
        }


class BenchmarkSettings(PatchSettings):
    """Method: everything that decides the scores of a lot, given its images, but for the network and earlier lots."""

    keep_aspect: bool = option(
        False,
        "Keep the proportions of photographs, the commonest of a product's first lot. As many pixels as image_size "
        "says, but not square; images of other proportions are stretched to those.",
        common=True,
    )
    references: int | None = option(
        None,
        "Score every image against a sample of so many others, for very large lots. Default: all others.",
        ge=1,
    )
    seed: int = option(
        0, "Draws the sample of references, and deals a benchmark's images to subsets.", ge=0, expert=True
    )
    tile: int | None = option(
        None,
        "Score images as tiles of so many pixels a side at full resolution, for large pictures. image_size is then the "
        "nearest that the network takes, unless given. An image's score is taken from the map that its tiles make "
        "together. Default: images are scored whole.",
        ge=32,
        metavar="PIXELS",
        common=True,
    )
    overlap: int | None = option(
        None, "Pixels that neighbouring tiles share at least. Default: an eighth of a tile.", ge=0, metavar="PIXELS"
    )
    tile_references: Literal["position", "around", "all"] = option(
        "position",
        "Which tiles of the other images a tile is compared with: those of its own position; around: of the next ones "
        "too, for parts that lie freely; or all. Tiles of its own image never are.",
    )
    rscin_windows: Windows | None = option(
        None,
        "Images that RsCIN averages over, the image itself included. Default: 1,2,3 as in the paper, benchmarks of "
        "VisA 1,8,9; 1, which re-scores nothing, for lots scored with convolutional networks.",
        metavar="N,N,…",
        expert=True,
    )
    exclude_groups: bool = option(
        False, "Where images share the same flaw, take its patches out of the references and score again."
    )

    @model_validator(mode="after")
    def _groups_need_all_pairs(self) -> Self:
        if self.exclude_groups and self.references is not None:
            raise ValueError(
                f"exclude_groups must go without references, got references {self.references}: groups are found by "
                "comparing all images with each other; leave out one of the two"
            )
        return self

    @model_validator(mode="after")
    def _tiles_fit(self) -> Self:
        if self.tile is None:
            for name in ("overlap", "tile_references"):
                if (value := getattr(self, name)) not in (None, "position"):
                    raise ValueError(f"{name} must go with tile, got {name} {value} alone; give --tile too")
            return self
        if self.overlap is not None and self.overlap >= self.tile:
            raise ValueError(f"overlap must be less than tile, {self.tile}, got {self.overlap}; an eighth is usual")
        for name in WITHOUT_TILES:
            if value := getattr(self, name, None):
                raise ValueError(f"{name} must go without tile, got {value}; leave out one of the two")
        if self.tile_references != "position" and self.references is not None:
            raise ValueError(
                f"references must go without tile_references {self.tile_references}, got {self.references}; leave out "
                "one of the two"
            )
        return self


class EarlierRuns(Options):
    """Earlier lots as references."""

    references_from: Annotated[tuple[str, ...], *CommaList] = option(
        (),
        "Earlier runs in the store, such as runs/monday-0a1b2c3d, whose accepted images are references too.",
        metavar="RUN,…",
    )


class Settings(EarlierRuns, BenchmarkSettings, OneBackbone):
    """Method: everything that decides the scores of a lot, given its images."""


class WatchSettings(EarlierRuns, PatchSettings, OneBackbone):
    """Method: everything that decides the score of one image, given its references."""


class ChosenSettings(Settings):
    """Settings with every choice made that depends on the backbone; see `musc.backbones.with_defaults`."""

    backbone: str
    degrees: Degrees
    rscin_windows: Windows


class WatchDecisions(Options):
    """Decisions: which images are flagged or suspect, given their scores and the references'."""

    false_alarms: float = option(
        0.5, "Good images expected to be flagged in a lot that holds defects.", gt=0, allow_inf_nan=False
    )
    suspects: Annotated[float, Share, AfterValidator(require_suspects)] = option(
        0.03,
        "Share of good images expected to be flagged or suspect; 0: no suspects. Default: 3%.",
        metavar="SHARE",
        common=True,
        allow_inf_nan=False,
    )
    threshold: float | None = option(
        None,
        "Raw score at and above which images are flagged; below 0 only with image_score position or balanced. Default: "
        "from the scores.",
        allow_inf_nan=False,
        common=True,
    )


class Decisions(WatchDecisions):
    """Decisions: which images are flagged or suspect; they decide nothing about scores."""

    review_budget: int | None = option(
        None,
        "Most images listed, flagged or suspect, the most anomalous of them. Default: no limit.",
        ge=1,
        common=True,
    )
