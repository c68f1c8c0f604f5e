"""Options of comparisons: over which neighbourhoods, and with which images, patches are compared."""

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from musc.option_ranges import PAPER_INTERVAL, Interval, require_degrees, require_interval
from musc.settings.pydantic_options import CommaList, Numbers, Options, option

Degrees = Annotated[tuple[int, ...], *CommaList, AfterValidator(require_degrees)]


class ComparisonSettings(Options):
    """How patches are compared with those of the references."""

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


class ReferenceSettings(Options):
    """Which images of the lot itself are references."""

    references: int | None = option(
        None,
        "Score every image against a sample of so many others, for very large lots. Default: all others.",
        ge=1,
    )
    seed: int = option(
        0, "Draws the sample of references, and deals a benchmark's images to subsets.", ge=0, expert=True
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


class EarlierRuns(Options):
    """Earlier lots as references."""

    references_from: Annotated[tuple[str, ...], *CommaList] = option(
        (),
        "Earlier runs in the store, such as runs/monday-0a1b2c3d, whose accepted images are references too.",
        metavar="RUN,…",
    )
