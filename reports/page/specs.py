"""Specs of what follows a finished run: its profile, its report, its maps as files. None can change a score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from planning.lot import stage_key
from planning.lot_job import LotJob
from planning.requests import MapKind
from planning.returns import ScoredRun
from planning.versions import EXPORTS_VERSION, MAPS_VERSION, PROFILE_VERSION, REPORT_VERSION
from reports.page.drift import MAX_EARLIER
from reports.page.html import templates_digest
from reports.page.notices import profile_of_run
from reports.run_record import read_record
from storage.results.profiles import earlier_profiles
from storage.results.runs import EXPORT, MAPS, REPORT_FOLDER, Run
from storage.results.site import read_site
from storage.store import Store


@dataclass(frozen=True)
class ProfileSpec:
    """Measure a run's photographs and note its few numbers for later comparisons."""

    key: str
    category: str
    store: str
    folder: str
    run: str
    path: str
    label: str
    size: int
    unit: ClassVar[str] = "images"


@dataclass(frozen=True)
class ReportSpec:
    """Write the page of a run."""

    key: str
    category: str
    store: str
    folder: str
    run: str
    profile: str
    earlier: tuple[str, ...]
    """Profiles of the runs it is compared with, oldest first."""
    label: str
    unit: ClassVar[str] = "page"

    @property
    def path(self) -> str:
        return f"{self.run}/{REPORT_FOLDER}"

    @property
    def size(self) -> int:
        return 1


@dataclass(frozen=True)
class MapsSpec:
    """Write a run's anomaly maps as image files."""

    key: str
    category: str
    store: str
    folder: str
    run: str
    kind: MapKind
    label: str
    size: int
    unit: ClassVar[str] = "images"

    @property
    def path(self) -> str:
        return f"{self.run}/{MAPS[self.kind]}"


@dataclass(frozen=True)
class ExportSpec:
    """Write a run's results as a file of one format."""

    key: str
    category: str
    store: str
    folder: str
    run: str
    kind: str
    label: str
    unit: ClassVar[str] = "files"

    @property
    def path(self) -> str:
        return f"{self.run}/{EXPORT.format(kind=self.kind)}"

    @property
    def size(self) -> int:
        return 1


def profile_spec(job: LotJob, run: ScoredRun) -> ProfileSpec:
    """The spec that profiles a finished run.

    Args:
        job: what was run.
        run: which run.
    """
    record = read_record(Run(Store(job.store), run.run))
    return ProfileSpec(
        key=stage_key("profile", PROFILE_VERSION, run=run.key, recorded=record.recorded),
        category=job.category,
        store=job.store,
        folder=job.folder,
        run=run.run,
        path=profile_of_run(record),
        label=job.lot,
        size=run.images,
    )


def report_spec(job: LotJob, run: ScoredRun, profiled: ProfileSpec) -> ReportSpec:
    """The spec that writes a run's page; other earlier runs, another layout or another review site make another key."""
    store = Store(job.store)
    earlier = tuple(profile.path for profile in earlier_profiles(store, profiled.path, MAX_EARLIER))
    reads = {"profile": profiled.key, "earlier": earlier, "templates": templates_digest(), "site": read_site(store)}
    return ReportSpec(
        key=stage_key("report", REPORT_VERSION, **reads),
        category=job.category,
        store=job.store,
        folder=job.folder,
        run=run.run,
        profile=profiled.path,
        earlier=earlier,
        label=job.lot,
    )


def maps_spec(job: LotJob, run: ScoredRun, kind: MapKind) -> MapsSpec:
    """The spec that writes a run's maps as files of one kind."""
    key = stage_key("maps", MAPS_VERSION, run=run.key, kind=kind)
    return MapsSpec(key, job.category, job.store, job.folder, run.run, kind, f"{job.lot} {kind}", run.images)


def export_specs(job: LotJob, run: ScoredRun, kinds: Sequence[str]) -> list[ExportSpec]:
    """The specs that write a run's results, one for each format."""
    keys = {kind: stage_key("export", EXPORTS_VERSION, run=run.key, kind=kind) for kind in kinds}
    return [
        ExportSpec(key, job.category, job.store, job.folder, run.run, kind, label=f"{job.lot} {kind}")
        for kind, key in keys.items()
    ]
