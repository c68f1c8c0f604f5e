"""Specs of what follows a finished run: its profile, its report, its maps as files. None can change a score."""

from dataclasses import dataclass

from planning.lot_job import LotJob
from planning.stage_versions import CAUSES_VERSION, EXPORTS_VERSION, MAPS_VERSION, PROFILE_VERSION, REPORT_VERSION
from planning.task_results import ScoredRun
from planning.task_specs import Spec
from reports.languages.catalogue import catalogue_digest
from reports.notices import profile_of_run
from reports.page.causes import causes_path
from reports.page.html import templates_digest
from reports.run_record import RunRecord
from reports.unusual_nights import MAX_EARLIER
from storage.artefacts import digest
from storage.results.profiles import earlier_profiles
from storage.results.run_files import (
    WITH_CAUSES,
    ExportKind,
    Language,
    MapKind,
    RunFiles,
    export_folder,
    maps_folder,
)
from storage.results.runs import REPORT_FOLDER
from storage.results.site_address import read_site
from storage.store import Store


@dataclass(frozen=True)
class RunFilesSpec(Spec):
    """Write something about a finished run."""

    not_in_key = Spec.not_in_key | {"folder", "run", "lot"}
    """Names and places of the photographs and of the run, whose key is the source."""

    folder: str
    run: str
    lot: str

    @property
    def label(self) -> str:
        return self.lot


@dataclass(frozen=True)
class ProfileSpec(RunFilesSpec):
    """Measure a run's photographs and note its few numbers for later comparisons."""

    stage = "profile"
    version = PROFILE_VERSION
    not_in_key = RunFilesSpec.not_in_key | {"profile", "images"}
    """What follows from the run."""

    profile: str
    images: int
    unit = "images"

    @property
    def path(self) -> str:
        return self.profile

    @property
    def size(self) -> int:
        return self.images


@dataclass(frozen=True)
class CausesSpec(RunFilesSpec):
    """Find out what is odd about the images of a run."""

    stage = "causes"
    version = CAUSES_VERSION

    pixel_size: float | None = None
    """Millimetres a pixel."""
    unit = "run"

    @property
    def path(self) -> str:
        return causes_path(self.run)


@dataclass(frozen=True)
class ReportSpec(RunFilesSpec):
    """Write the page of a run."""

    stage = "report"
    version = REPORT_VERSION
    not_in_key = RunFilesSpec.not_in_key | {"profile"}
    """The place of the profile, whose key is in the source."""

    profile: str
    earlier: tuple[str, ...]
    """Profiles of the runs it is compared with, oldest first."""
    language: Language = "en"
    unit = "page"

    @property
    def path(self) -> str:
        return f"{self.run}/{REPORT_FOLDER}"


@dataclass(frozen=True)
class MapsSpec(RunFilesSpec):
    """Write a run's anomaly maps as image files."""

    stage = "maps"
    version = MAPS_VERSION
    not_in_key = RunFilesSpec.not_in_key | {"images"}
    """What follows from the run."""

    kind: MapKind
    images: int
    unit = "images"

    @property
    def path(self) -> str:
        return f"{self.run}/{maps_folder(self.kind)}"

    @property
    def label(self) -> str:
        return f"{self.lot} {self.kind}"

    @property
    def size(self) -> int:
        return self.images


@dataclass(frozen=True)
class ExportSpec(RunFilesSpec):
    """Write a run's results as a file of one format."""

    stage = "export"
    version = EXPORTS_VERSION

    kind: ExportKind
    image_prefix: str | None = None
    """Of the addresses of photographs, for Label Studio."""
    pixel_size: float | None = None
    """Of the causes that it holds."""
    unit = "files"

    @property
    def path(self) -> str:
        return f"{self.run}/{export_folder(self.kind)}"

    @property
    def label(self) -> str:
        return f"{self.lot} {self.kind}"


def profile_spec(job: LotJob, run: ScoredRun, record: RunRecord) -> ProfileSpec:
    """The spec that profiles a finished run."""
    return ProfileSpec(
        source=digest({"run": run.key, "recorded": record.recorded}),
        category=job.category,
        store=job.store,
        folder=job.folder,
        run=run.run,
        lot=job.lot,
        profile=profile_of_run(record),
        images=run.images,
    )


def causes_spec(job: LotJob, run: ScoredRun, pixel_size: float | None) -> CausesSpec:
    """The spec that finds out what is odd about a run's images."""
    return CausesSpec(run.key, job.category, job.store, job.folder, run.run, job.lot, pixel_size)


def report_spec(
    job: LotJob, run: ScoredRun, profiled: ProfileSpec, causes: CausesSpec, language: Language
) -> ReportSpec:
    """The spec that writes a run's page; other earlier runs, causes or layout, or another site, make another key."""
    store = Store(job.store)
    earlier = tuple(profile.path for profile in earlier_profiles(store, profiled.path, MAX_EARLIER))
    made_of = {"templates": templates_digest(), "words": catalogue_digest(language)}
    reads = {"profile": profiled.key, "causes": causes.key, "site": read_site(store), **made_of}
    return ReportSpec(
        source=digest(reads),
        category=job.category,
        store=job.store,
        folder=job.folder,
        run=run.run,
        lot=job.lot,
        profile=profiled.path,
        earlier=earlier,
        language=language,
    )


def maps_spec(job: LotJob, run: ScoredRun, kind: MapKind) -> MapsSpec:
    """The spec that writes a run's maps as files of one kind."""
    return MapsSpec(run.key, job.category, job.store, job.folder, run.run, job.lot, kind, run.images)


def export_specs(job: LotJob, run: ScoredRun, files: RunFiles) -> list[ExportSpec]:
    """The specs that write a run's results, one for each format."""
    shared = run.key, job.category, job.store, job.folder, run.run, job.lot
    return [
        ExportSpec(
            *shared,
            kind,
            files.image_prefix if kind == "labelstudio" else None,
            files.pixel_size if kind in WITH_CAUSES else None,
        )
        for kind in files.export
    ]
