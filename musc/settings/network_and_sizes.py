"""Options of features: the network, its weights, sizes and layers, and how photographs are brought to its size."""

from typing import Annotated, Literal, Self, TypedDict, cast

from musc.backbone_families import described_families
from musc.settings.pydantic_options import CommaList, Options, Sizes, option, size_text

DEFAULT_BACKBONE = "efficientnet-lite0"
"""Scores lots by default: its weights are installed with this project."""
PAPER_BACKBONE = "ViT-L-14-336"
"""The backbone of the paper's main table, and of benchmarks by default."""

ImageSize = int | tuple[int, int]
"""A side, or height and width, in pixels."""
ImageSizes = ImageSize | tuple[tuple[int, int], ...]
"""One size, or the height and width of several, smallest first."""


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
        f"Network whose features are compared. {described_families()}. Default: {DEFAULT_BACKBONE}.",
        common=True,
    )


class FeatureSettings(Options):
    """How images become features, but for the network."""

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


class Proportions(Options):
    """Whether the proportions of a lot's photographs are kept."""

    keep_aspect: bool = option(
        False,
        "Keep the proportions of photographs, the commonest of a product's first lot. As many pixels as image_size "
        "says, but not square; images of other proportions are stretched to those.",
        common=True,
    )
