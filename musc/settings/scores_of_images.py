"""Options of image scores: what of a map is its image's score, and over which images it is averaged."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from musc.option_ranges import require_rscin_windows
from musc.settings.pydantic_options import CommaList, Options, option

ImageScore = Literal["max", "contrast", "position", "balanced"]
Windows = Annotated[tuple[int, ...], *CommaList, AfterValidator(require_rscin_windows)]


def needs_usual(image_score: ImageScore) -> bool:
    """Whether a score depends on what is usual at each place.

    >>> needs_usual("balanced"), needs_usual("contrast")
    (True, False)
    """
    return image_score in ("position", "balanced")


class ImageScoreSettings(Options):
    """What of its map is an image's score."""

    image_score: ImageScore = option(
        "max",
        "What of its map is an image's score. max: the maximum; contrast: less the map's own low quantile, for "
        "photographs that are turned, darker or noisier as a whole; position: less the median of all maps at the same "
        "place, for parts that lie alike; balanced: mostly max, with a part of both others.",
    )


class RescoringSettings(Options):
    """How image scores are averaged over images alike."""

    rscin_windows: Windows | None = option(
        None,
        "Images that RsCIN averages over, the image itself included. Default: 1,2,3 as in the paper, benchmarks of "
        "VisA 1,8,9; 1, which re-scores nothing, for lots scored with convolutional networks.",
        metavar="N,N,…",
        expert=True,
    )
