"""What `musc tune` is asked for. Importing this loads no more than the other requests do."""

from typing import Annotated

from musc.settings import DEFAULT_BACKBONE
from musc.settings.pydantic_options import CommaList, option
from planning.requests import ComputingRequest


class TuneRequest(ComputingRequest):
    """Settings of a product, to be chosen by what people judged of its photographs."""

    category: str = option(..., "Name of the product, as runs and the review site have it.")
    networks: Annotated[tuple[str, ...], *CommaList] = option(
        (DEFAULT_BACKBONE, "efficientnet-lite2"),
        "Networks to try, any that `musc score` takes.",
        metavar="NAME,…",
        common=True,
    )
    sizes: Annotated[tuple[int, ...], *CommaList] = option(
        (320, 512), "Image sizes to try, sides in pixels.", metavar="PIXELS,…", common=True
    )
    lots: int = option(
        10,
        "Most lots that are scored with every choice, those of the latest verdicts first.",
        ge=1,
        common=True,
    )
    accept: bool = option(
        False,
        "Keep the settings that are found as the product's. `nightly`, `score`, `watch` and `benchmark` then take "
        "them.",
        common=True,
    )
    default_settings: bool = option(
        False, "Compute nothing, and go back to the default settings of this product.", common=True
    )
    name: str | None = option(
        None, "Who accepts settings or goes back. Default: the name at this machine.", metavar="NAME", common=True
    )
