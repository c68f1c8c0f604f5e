"""Reproduce: a past run as a job again, after making sure that its images and weights are still what they were."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from musc import backbones
from musc.decisions.decision_words import Basis
from planning.lot_job import LotJob, backbone_identity
from planning.resources import THREADS
from reports.make_run_record import versions
from reports.references import require_run
from reports.run_record import read_record
from storage.artefacts import require_complete
from storage.errors import ImageChangedError, NoImagesError
from storage.images.listing import require_folder
from storage.images.lots import ListedImage, load_lot, read_image, store_lot, usable_images
from storage.results.patch_scores import FOLDER as PATCH_SCORES
from storage.results.runs import Run
from storage.store import Store

log = logging.getLogger(__name__)

READERS = 8
MAX_NAMED = 20
"""Changed images named in one message."""


def recorded_job(run: Run, store: str, *, folder: str | None = None, weights: str | None = None) -> LotJob:
    """The job of a past run, to be done again by the threads of this process.

    Args:
        store: where the reproduction keeps what it makes; not the run's own store, which holds the answers.
        folder: where the images lie now; where they lay unless given.
        weights: tag or file; as recorded unless given.

    Raises:
        FormatVersionError: if another release wrote the record.
        DamagedError: if it is not a record.
        NoImagesError: if the folder is gone.
        ValueError: if the weights are not those of the run, naming both digests.
        FileNotFoundError: if the weights file is gone.
    """
    past = read_record(run).job
    folder = folder or past.folder
    require_folder_of(run, folder)
    earlier = tuple(require_run(run.store, path).path for path in past.settings.references_from)
    settings = past.settings.changed(weights=weights or past.settings.weights, references_from=earlier)
    precise = settings.changed(precision=past.backbone.precision)  # whatever `auto` means here
    *smaller, backbone = backbones.resolve_settings(precise)
    require_same_weights(past, replace(past, backbone=backbone))
    return replace(
        past,
        store=store,
        folder=folder,
        settings=settings,
        backbone=backbone,
        smaller=tuple(smaller),
        allocation=replace(past.allocation, engine=THREADS),
        judged_good=tuple(replace(good, run=require_run(run.store, good.run).path) for good in past.judged_good),
    )


def require_folder_of(run: Run, folder: str) -> None:
    """Refuse to look for images where no folder is.

    Raises:
        NoImagesError: naming the folder.
    """
    try:
        require_folder(folder)
    except NoImagesError as error:
        raise NoImagesError(
            f"{error}, or name the folder where the images of {run.path} lie now with --folder"
        ) from None


def bring_references(past: Run, job: LotJob) -> None:
    """Copy what a run was scored against into the reproduction's store, features as they are: earlier runs, good parts.

    Raises:
        ValueError: if one of them is gone.
        IncompleteError: if features of one of them are gone.
    """
    target = Store(job.store)
    for path in (*job.settings.references_from, *(good.run for good in job.judged_good)):
        earlier = require_run(past.store, path)
        record = read_record(earlier)
        blocks = [block for backbone in job.backbones for block in record.features_of(backbone)]
        require_complete(past.store, blocks)
        bring(past.store, target, (earlier.path, *blocks))
    known = [path for path in read_record(past).keys.good if not path.startswith(f"{PATCH_SCORES}/")]
    known += [job.region.patches] if job.region else []
    require_complete(past.store, known)
    bring(past.store, target, known)


def bring(source: Store, target: Store, artefacts: Sequence[str]) -> None:
    """Copy artefacts from one store to another."""
    for artefact in artefacts:
        log.debug("copying %s from %s", artefact, source.url)
        for name in source.sizes(artefact):
            target.write(f"{artefact}/{name}", source.read(f"{artefact}/{name}"))


def require_same_weights(past: LotJob, now: LotJob) -> None:
    """Refuse to repeat a run with another backbone.

    Raises:
        ValueError: naming everything that differs.
    """
    recorded, current = backbone_identity(past.backbone), backbone_identity(now.backbone)
    changed = [
        f"{name} was {value} and is {current[name]}" for name, value in recorded.items() if value != current[name]
    ]
    if changed:
        raise ValueError(
            f"weights must be those of the run, got {now.backbone.weights}: {'; '.join(changed)}; "
            "give the run's own with --weights"
        )


def listed_again(run: Run, job: LotJob) -> str:
    """Put the past run's listing into the reproduction's store; files that came since do not matter.

    Returns:
        The listing's key.

    Raises:
        ImageChangedError: if images are gone or have other content, naming them.
    """
    images = load_lot(run.store, read_record(run).keys.listing)
    require_unchanged(Store(job.folder), usable_images(images))
    return store_lot(Store(job.store), images)


def require_unchanged(folder: Store, images: Sequence[ListedImage]) -> None:
    """Read every image and compare its content with the listing.

    Raises:
        ImageChangedError: naming those that are gone or changed, in one message.
    """

    def problem(image: ListedImage) -> str | None:
        try:
            read_image(folder, image)
        except ImageChangedError:
            return f"{image.path} ({'changed' if folder.exists(image.path) else 'gone'})"
        return None

    with ThreadPoolExecutor(READERS) as readers:
        problems = [text for text in readers.map(problem, images) if text]
    if problems:
        more = f" and {len(problems) - MAX_NAMED} more" if len(problems) > MAX_NAMED else ""
        raise ImageChangedError(
            f"images must be those of the run, but {len(problems)} of {len(images)} in {folder.url} are not: "
            f"{', '.join(problems[:MAX_NAMED])}{more}; give the folder that holds them with --folder"
        )


@dataclass(frozen=True)
class Reproduction:
    """How the scores of a run and of its reproduction compare."""

    image_count: int
    differing: tuple[str, ...]
    """Paths of images whose score, raw score or patch scores are not the same to the last bit."""
    largest_difference: float
    """Of any raw score."""
    versions: tuple[str, ...]
    """Of packages that are not those of the run, e.g. `torch 2.8.0 → 2.9.1`."""
    other_decisions: int | None = None
    """Images decided otherwise; None where the run's decisions rest on earlier nights, which are not read again."""

    @property
    def identical(self) -> bool:
        return not self.differing


def compare_runs(past: Run, again: Run) -> Reproduction:
    """Compare two runs of one listing, image by image.

    Raises:
        ValueError: if they did not score the same images.
    """
    images, record = [image.path for image in past.scored_images()], read_record(past)
    if images != [image.path for image in again.scored_images()]:
        raise ValueError(
            f"the reproduction must score the images of {past.path}, got others; see the reasons in both images.parquet"
        )
    old, new = (run.scores().set_index("path").loc[images] for run in (past, again))
    past_patches, new_patches = past.patch_scores(), again.patch_scores()  # NaN outside of a region of interest
    same = ((past_patches == new_patches) | (np.isnan(past_patches) & np.isnan(new_patches))).all(axis=(1, 2))
    for column in ("raw_score", "score"):
        same &= (old[column].to_numpy() == new[column].to_numpy()) | (old[column].isna() & new[column].isna())
    return Reproduction(
        image_count=len(images),
        differing=tuple(path for path, is_same in zip(images, same, strict=True) if not is_same),
        largest_difference=float(np.abs(old["raw_score"] - new["raw_score"]).max()),
        versions=changed_versions(record.versions, versions()),
        other_decisions=None
        if record.decision.basis is Basis.NIGHTS
        else int((old["decision"] != new["decision"]).sum()),
    )


def changed_versions(past: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Packages whose version is another one now."""
    return tuple(
        f"{name} {past.get(name, '–')} → {now.get(name, '–')}"
        for name in sorted({*past, *now})
        if past.get(name) != now.get(name)
    )
