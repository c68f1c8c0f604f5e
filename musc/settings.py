"""The method's settings: stated once, with their defaults, checked before any work starts."""

from dataclasses import asdict, dataclass
from typing import Any

from musc.backbones import scoring_defaults
from musc.backbones.catalogue import LITE0_NAME
from musc.kernels.window import require_match_radius
from musc.lnamd import require_degrees
from musc.mutual import Interval, require_interval
from musc.plan.sample import require_reference_count
from musc.rscin import require_rscin_windows

ImageSize = int | tuple[int, int]


@dataclass(frozen=True)
class Settings:
    """Everything that decides the scores of a lot, given its images."""

    backbone: str = LITE0_NAME
    """`efficientnet-lite0`, whose weights are installed, a published name such as the paper's `ViT-L-14-336`, any
    open_clip ViT, `timm:<model>`, or the built-in filter bank `texture`, for trials."""
    weights: str | None = None
    """A tag of the model's library, or the path of a local file; None is the installed or published choice."""
    image_size: ImageSize | None = None
    """Pixels to which images are resized: one side or (height, width); None is 320 for convolutional networks, and the
    published size for others, 518 for patch 14."""
    layers: tuple[int, ...] | None = None
    """0-based, growing: transformer blocks, None is the ends of four equal parts, 5, 11, 17, 23 of 24; or levels of a
    convolutional network, None is those of stride 8 and more."""
    quick_gelu: bool | None = None
    """OpenAI CLIP only. None does as the published numbers: QuickGELU at the model's own image size, else GELU."""
    position_antialias: bool = False
    """Whether the position embedding is resized with antialiasing; the published numbers are without."""
    precision: str = "auto"
    """The backbone's: `float32`, `float16`, `bfloat16`, or `auto`, float16 on a GPU as published and else float32."""
    degrees: tuple[int, ...] | None = None
    """Sides of the LNAMD neighbourhoods in patches, odd; None is 1, 3, 5 as in the paper, and 1, 3 for convolutional
    networks."""
    interval: Interval = (0.0, 0.3)
    """Fractions of the references, nearest first, between which distances are averaged."""
    references: int | None = None
    """M, references of every image, a sample that all share, for very large lots; None is all other images."""
    seed: int = 0
    """Which sample of references is drawn."""
    match_radius: int | None = None
    """W, rows and columns of patches within which a patch is matched, for aligned parts; None is everywhere."""
    rscin_windows: tuple[int, ...] | None = None
    """RsCIN neighbours, the image itself included; None is 1, 2, 3 as in the paper, which uses 1, 8, 9 for VisA, and 1,
    which re-scores nothing, for convolutional networks."""

    def __post_init__(self) -> None:
        """Refuse values that no backbone is needed to judge.

        Raises:
            ValueError: naming the setting, its rule and the value given.
        """
        if self.degrees is not None:
            require_degrees(self.degrees)
        require_interval(self.interval)
        if self.rscin_windows is not None:
            require_rscin_windows(self.rscin_windows)
        if self.references is not None:
            require_reference_count(self.references)
        if self.match_radius is not None:
            require_match_radius(self.match_radius)

    @property
    def chosen_degrees(self) -> tuple[int, ...]:
        """The degrees, or those of the backbone."""
        return self.degrees or scoring_defaults(self.backbone).degrees

    @property
    def chosen_rscin_windows(self) -> tuple[int, ...]:
        """The RsCIN windows, or those of the backbone."""
        return self.rscin_windows or scoring_defaults(self.backbone).rscin_windows

    def backbone_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `musc.backbones.resolve` and `load`."""
        names = ("weights", "image_size", "layers", "quick_gelu", "position_antialias", "precision")
        return {name: getattr(self, name) for name in names}

    def as_record(self) -> dict[str, Any]:
        """The settings as plain values for a run's record."""
        return asdict(self)
