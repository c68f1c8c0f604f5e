"""Requests: what a user asks for, as one value: a lot, a night or a benchmark to be scored.

The fields are the parameters of the flows and, with those of the models they hold, the options of the commands.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, model_validator

from musc.pydantic_options import Options, option
from musc.settings import PAPER_BACKBONE, Decisions, Settings
from planning.resources import Resources

DEFAULT_OUTPUT, DEFAULT_ROOT = "musc-results", "lots"
MapKind = Literal["png", "tiff"]
EXPORT_KINDS = ("csv", "coco", "labelstudio")
AnyRequest = TypeVar("AnyRequest", bound="Request")
Function = TypeVar("Function", bound=Callable[..., Any])


def read_names(value: Any) -> Any:
    """Names from a text or several such as `bottle,cable`; other values as they are."""
    given = [value] if isinstance(value, str) else value
    if isinstance(given, list | tuple) and all(isinstance(text, str) for text in given):
        return tuple(name.strip() for text in given for name in text.split(","))
    return value


def require_export_kinds(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Formats that results are exported in, each once.

    Raises:
        ValueError: naming the first that there is not.
    """
    for kind in kinds:
        if kind not in EXPORT_KINDS:
            raise ValueError(
                f"export must be one or several of {', '.join(EXPORT_KINDS)}, got {kind!r}; choose among them"
            )
    return tuple(dict.fromkeys(kinds))


Names = Annotated[tuple[str, ...], BeforeValidator(read_names)]
ExportKinds = Annotated[tuple[str, ...], BeforeValidator(read_names), AfterValidator(require_export_kinds)]


class Request(Options):
    """What all requests have."""

    output: str = option(
        DEFAULT_OUTPUT, "Path or URL of the store that keeps features, scores and results.", common=True
    )
    settings: Settings = Settings()
    resources: Resources = Resources()


class RegionRequest(Request):
    """What is asked of images of one product that all have a region of interest."""

    roi: str | None = option(
        None,
        "Local mask, one for all images: patches of which less than half lies where it is above 0 are neither scored "
        "nor used as references.",
        metavar="FILE",
    )
    roi_folder: str | None = option(
        None, "Local folder of such masks, one for each image, of the same name with any suffix.", metavar="FOLDER"
    )

    @model_validator(mode="after")
    def _one_kind_of_region(self) -> Self:
        if self.roi and self.roi_folder:
            raise ValueError(
                f"roi must go without roi_folder, got {self.roi} and {self.roi_folder}; leave out one of the two"
            )
        return self


class ScoringRequest(Request):
    """What is asked of lots without labels."""

    maps: MapKind | None = option(
        None, "Also write every anomaly map as a file: png (overlays and masks) or tiff (32-bit floats).", common=True
    )
    export: ExportKinds = option(
        (),
        "Also write results as files: csv, the table of scores; coco or labelstudio, boxes and outlines of flagged "
        "places.",
        metavar="csv,coco,…",
    )
    good_from_verdicts: bool = option(
        False, "Images of the product's earlier runs that people judged good on the review site are references too."
    )
    ignore_drawn: bool = option(
        False,
        "Leave out the places that people drew on the review site to be ignored in the product's photographs, as "
        "patches outside of `roi` are; finished runs stay as they are.",
    )
    decisions: Decisions = Decisions()


class LotRequest(ScoringRequest, RegionRequest):
    """A folder of images of one product, to be scored against each other."""

    folder: str = option(..., "Path or URL of a folder of images of one product, searched with all folders below.")
    lot: str | None = option(
        None,
        "Name of these images. Default: the folder's, with the product's if it begins with a date.",
        common=True,
    )
    category: str | None = option(
        None,
        "Name of the product. Default: that of the folder above a dated one, else the lot's.",
        common=True,
    )
    good: str | None = option(
        None,
        "Path or URL of a folder of photographs of good parts: references that are not scored. 8 or more give the "
        "threshold too, and the lot may be one image.",
        metavar="FOLDER",
        common=True,
    )


class WatchRequest(LotRequest):
    """A folder whose new photographs are scored as they come, against references that stay the same."""

    webhook: str | None = option(
        None,
        "URL to which every flagged photograph is posted as JSON; tried again after errors, and never costs a score.",
        metavar="URL",
        common=True,
    )
    poll: bool = option(
        False, "Look at the folder every second, for network shares that do not tell of changes.", common=True
    )


class NightRequest(ScoringRequest):
    """Every lot below a folder that has no finished result for these settings."""

    root: str = option(DEFAULT_ROOT, "Path or URL of a folder with lots as <category>/<date>/…images.")
    category: str | None = option(None, "Only this product. Default: all.", common=True)
    since: date | None = option(
        None, "Leave out lots of earlier dates; lots without a date never are.", metavar="DATE", common=True
    )

    def lot(self, folder: str, name: str, category: str) -> LotRequest:
        """One of its lots, to be scored with the same options."""
        shared = {field: getattr(self, field) for field in ScoringRequest.model_fields}
        return LotRequest(**{**shared, "folder": folder, "lot": name, "category": category})


class BenchmarkRequest(RegionRequest):
    """The categories of a labelled dataset, each to be scored as one lot."""

    dataset: str = option(
        ...,
        "mvtec_ad, visa, btad, mvtec_loco, mvtec_ad_2, real_iad, kolektor_sdd, kolektor_sdd2, or folder (a set of your "
        "own in MVTec AD's layout).",
    )
    root: str = option(..., "Local folder of the dataset.")
    categories: Names | None = option(None, "Categories to run. Default: all.", metavar="NAME,…", common=True)
    backbones: Names = option(
        (),
        f"Several backbones, compared in one table. Default: the one of `backbone`, {PAPER_BACKBONE} unless given.",
        metavar="NAME,…",
        common=True,
    )
    subsets: int = option(
        1, "Parts in which each category is scored; images are dealt by content, never by label or name.", ge=1
    )


def request_of(kind: type[AnyRequest], given: Mapping[str, Any]) -> AnyRequest:
    """A request from flat options, each sorted into the model that holds it.

    Raises:
        ValueError: naming every option that is unknown or out of range.
    """
    models = {name: field.annotation for name, field in kind.model_fields.items()}
    held = {name: model for name, model in models.items() if isinstance(model, type) and issubclass(model, Options)}
    sorted_in = {name: {key: given[key] for key in model.model_fields if key in given} for name, model in held.items()}
    taken = {key for options in sorted_in.values() for key in options}
    own = {key: value for key, value in given.items() if key not in taken}
    values: Mapping[str, Any] = {**own, **{name: held[name](**options) for name, options in sorted_in.items()}}
    return kind(**values)


def described_by(kind: type[Request]) -> Callable[[Function], Function]:
    """Add the descriptions of a request's fields to a flow's docstring, which Prefect's form shows."""

    def describe(function: Function) -> Function:
        lines = [
            f"    {name}: {field.description or (field.annotation.__doc__ or '').strip()}"
            for name, field in kind.model_fields.items()
            if field.annotation is not None
        ]
        text = function.__doc__ or ""
        head, mark, rest = text.partition("\n    Returns:")
        function.__doc__ = f"{head.rstrip()}\n\n    Args:\n    " + "\n    ".join(lines) + f"\n{mark}{rest}"
        return function

    return describe
