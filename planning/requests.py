"""Requests: what a user asks of a command, as one value that holds exactly the options the command takes.

The fields are the parameters of the flows and, with those of the models they hold, the options of the commands.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import quote

from pydantic import model_validator

from musc.option_ranges import require_address
from musc.settings import PAPER_BACKBONE, BenchmarkSettings, Decisions, Settings, WatchDecisions, WatchSettings
from musc.settings.pydantic_options import CommaList, Options, option, size_text, texts_in
from planning.resources import Resources, WatchResources
from storage.results.run_files import ExportKind, Language, MapKind, RunFiles, described_exports
from storage.secrets import CREDENTIALS, require_no_secret

DEFAULT_OUTPUT, DEFAULT_ROOT = "musc-results", "lots"
INSTEAD = {
    "webhook": "give the URL in the variable MUSC_WEBHOOK, which is not written anywhere",
    "dask_address": "let Dask's own configuration name certificates",
}
"""Where secrets of an option are given; of the others in the environment."""
AnyRequest = TypeVar("AnyRequest", bound="Request")


class Request(Options):
    """What all requests have."""

    output: str = option(
        DEFAULT_OUTPUT, "Path or URL of the store that keeps features, scores and results.", common=True
    )

    @model_validator(mode="after")
    def _hold_no_secret(self) -> Self:
        for name, text in texts_in(self):
            require_no_secret(name, text, INSTEAD.get(name, CREDENTIALS))
        return self


class ComputingRequest(Request):
    """What is asked of the commands that run tasks."""

    resources: Resources = Resources()


class RegionRequest(Request):
    """What is asked of images of one product that all have a region of interest."""

    roi: str | None = option(
        None,
        "Local mask for all images, or a folder with one for each. Patches of which less than half lies where it is "
        "above 0 are neither scored nor used as references; masks in a folder have their image's name with any suffix.",
        metavar="MASK",
        common=True,
    )


class ProductRequest(Request):
    """What is asked of images of products that may have settings of their own."""

    default_settings: bool = option(
        False,
        "Score as if no settings and no threshold had been accepted for the product. Settings are otherwise taken, "
        "unless network, size, layers or image score are given; `musc tune` finds them, the review site the threshold.",
    )
    smallest_flaw: int | None = option(
        None,
        "Pixels of the smallest flaw to find. Those of the photograph; image size or tiles are chosen so that such a "
        "flaw covers enough patches, by a rule measured in docs/settings.md. `musc plan` says what is chosen and what "
        "it costs. Default: the usual size.",
        ge=1,
        metavar="PIXELS",
        common=True,
    )

    @model_validator(mode="after")
    def _flaw_chooses_alone(self) -> Self:
        for name in ("image_size", "tile") if self.smallest_flaw is not None else ():
            value = getattr(getattr(self, "settings", None), name, None)
            if value is not None:
                raise ValueError(
                    f"{name} must go without smallest_flaw, which chooses it, got {size_text(value)}; leave out one of "
                    "the two"
                )
        return self


class VerdictsRequest(ProductRequest):
    """What is taken over from the review site."""

    good_from_verdicts: bool = option(
        False,
        "Images that people judged good on the review site are references too. They are those of the product's earlier "
        "runs.",
        common=True,
    )
    ignore_drawn: bool = option(
        False,
        "Leave out places that people drew on the review site to be ignored. Those of the product's photographs are "
        "left out as patches outside of `roi` are; finished runs stay as they are.",
        common=True,
    )


class ScoringRequest(VerdictsRequest, ComputingRequest):
    """What is asked of lots without labels."""

    maps: Annotated[tuple[MapKind, ...], *CommaList] = option(
        (),
        "Also write anomaly maps as files. png: overlays and masks; tiff: 32-bit floats.",
        metavar="png,tiff",
        common=True,
    )
    export: Annotated[tuple[ExportKind, ...], *CommaList] = option(
        (),
        f"Also write files of these formats. {described_exports()}.",
        metavar="KIND,…",
        common=True,
    )
    language: Language = option(
        "en",
        "Language of the report: en, de or zh. What is printed, `run.json` and the files for other programs stay "
        "English.",
    )
    pixel_size: float | None = option(
        None,
        "Millimetres of the part that a pixel of the photographs shows. Sizes of odd places are then in mm, on pages "
        "and in files.",
        metavar="MM",
        gt=0,
        allow_inf_nan=False,
    )
    image_prefix: str | None = option(
        None,
        "For `export` labelstudio: put before the path of each photograph in `data.image`, so that Label Studio can "
        "load it: the address of the lot's folder, for nights of the root's. Such as /data/local-files/?d=lots/ or "
        "https://files.example.com/.",
        metavar="TEXT",
    )
    settings: Settings = Settings()
    decisions: Decisions = Decisions()

    @model_validator(mode="after")
    def _prefix_needs_label_studio(self) -> Self:
        if self.image_prefix is None:
            return self
        if "labelstudio" not in self.export:
            raise ValueError(
                f"image_prefix must go with export labelstudio, got export {','.join(self.export) or 'of nothing'}; "
                "add labelstudio to export, or leave it out"
            )
        require_address("image_prefix", self.image_prefix)
        return self

    @property
    def files(self) -> RunFiles:
        """What is made from each finished run."""
        return RunFiles(self.maps, self.export, self.image_prefix, self.language, self.pixel_size)


class LotRequest(RegionRequest, ScoringRequest):
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
        "Folder of photographs of good parts, references that are not scored. A path or URL; 8 or more photographs "
        "give the threshold too, and the lot may be one image.",
        metavar="FOLDER",
        common=True,
    )


class WatchRequest(VerdictsRequest):
    """A folder whose new photographs are scored as they come, against references that stay the same."""

    folder: str = option(..., "Local folder to which photographs of one product come, with all folders below.")
    good: str | None = option(
        None,
        "Folder of good parts' photographs, the references. A path or URL; 8 or more photographs give the threshold.",
        metavar="FOLDER",
        common=True,
    )
    category: str | None = option(
        None,
        "Name of the product. Default: that of the folder above a dated one, else the folder's.",
        common=True,
    )
    roi: str | None = option(
        None,
        "Local mask, the same for all photographs. Patches of which less than half lies where it is above 0 are "
        "neither scored nor used as references.",
        metavar="FILE",
        common=True,
    )
    webhook: str | None = option(
        None,
        "URL to which every flagged photograph is posted as JSON. Suspect ones are not posted. Tried again after "
        "errors, and never costs a score. A URL that holds a key or a password is taken from the variable MUSC_WEBHOOK "
        "instead.",
        metavar="URL",
        common=True,
    )
    events: bool | None = option(
        None,
        "Tell Prefect's server of every flagged photograph by an event. Default: where an API is configured.",
        common=True,
    )
    poll: bool = option(
        False, "Look at the folder every second, for network shares that do not tell of changes.", common=True
    )
    settings: WatchSettings = WatchSettings()
    decisions: WatchDecisions = WatchDecisions()
    resources: WatchResources = WatchResources()

    def lot(self) -> LotRequest:
        """A lot with the same options; those that a watch does not take keep their default."""
        own = {name: getattr(self, name) for name in WatchRequest.model_fields if name in LotRequest.model_fields}
        own["settings"] = Settings(**dict(self.settings))
        own["decisions"] = Decisions(**dict(self.decisions))
        own["resources"] = Resources(**dict(self.resources))
        return LotRequest(**own)


class NightRequest(ScoringRequest):
    """Every lot below a folder that has no finished result for these settings."""

    root: str = option(DEFAULT_ROOT, "Path or URL of a folder with lots as <category>/<date>/…images.")
    category: str | None = option(None, "Only this product. Default: all.", common=True)
    since: date | None = option(
        None, "Leave out lots of earlier dates; lots without a date never are.", metavar="DATE", common=True
    )

    def lot(self, folder: str, name: str, category: str) -> LotRequest:
        """One of its lots, to be scored with the same options."""
        options = {field: getattr(self, field) for field in ScoringRequest.model_fields}
        if self.image_prefix is not None:
            from storage.store import Store  # loads zarr, which no help needs

            options["image_prefix"] = f"{self.image_prefix}{quote(Store(self.root).inside(folder))}/"
        return LotRequest(**{**options, "folder": folder, "lot": name, "category": category})


class BenchmarkRequest(RegionRequest, ProductRequest, ComputingRequest):
    """The categories of a labelled dataset, each to be scored as one lot."""

    dataset: str = option(
        ...,
        "mvtec_ad, visa, btad, mvtec_loco, mvtec_ad_2, real_iad, kolektor_sdd, kolektor_sdd2, or folder (a set of your "
        "own in MVTec AD's layout).",
    )
    root: str = option(..., "Local folder of the dataset.")
    categories: Annotated[tuple[str, ...], *CommaList] | None = option(
        None, "Categories to run. Default: all.", metavar="NAME,…", common=True
    )
    backbone: Annotated[tuple[str, ...], *CommaList] = option(
        (PAPER_BACKBONE,),
        "Networks whose features are compared, several in one table. Any that `musc score` takes.",
        metavar="NAME,…",
        common=True,
    )
    subsets: int = option(
        1,
        "Parts in which each category is scored; images are dealt by content, never by label or name.",
        ge=1,
        expert=True,
    )
    settings: BenchmarkSettings = BenchmarkSettings()


def request_of(kind: type[AnyRequest], given: Mapping[str, Any]) -> AnyRequest:
    """A request from flat options, each sorted into the model that holds it.

    Raises:
        ValueError: naming every option that is unknown or out of range.
    """
    annotations = {name: field.annotation for name, field in kind.model_fields.items()}
    held = {
        name: model for name, model in annotations.items() if isinstance(model, type) and issubclass(model, Options)
    }
    sorted_in = {name: {key: given[key] for key in model.model_fields if key in given} for name, model in held.items()}
    nested = {key for options in sorted_in.values() for key in options}
    own_options = {key: value for key, value in given.items() if key not in nested}
    values: Mapping[str, Any] = {**own_options, **{name: held[name](**options) for name, options in sorted_in.items()}}
    return kind(**values)
