"""Which lots below a root are due: found by folder names, less those that are known to be finished."""

import logging
from dataclasses import dataclass
from datetime import date

from planning.job_from_request import prepare
from planning.lot_job import LotJob
from planning.nights.outcomes import LotOutcome, Status
from planning.requests import NightRequest
from planning.stage_versions import FEATURES_VERSION, GROUPS_VERSION, PATCH_SCORES_VERSION, RUN_VERSION
from storage.artefacts import digest
from storage.attempts import begin, note_attempt
from storage.errors import NoImagesError
from storage.given_names import one_form
from storage.images.least_images import LEAST_IMAGES, require_enough
from storage.images.listing import has_image_name, list_folder, require_folder
from storage.images.lot_fingerprints import KnownResult, fingerprint, read_result, write_result
from storage.images.lot_tree import FoundLot, LotTree, find_lots
from storage.results.run_files import NO_FILES, RunFiles
from storage.store import Store, absolute

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LotCheck:
    """A lot as it was found before it was scored."""

    key: str | None
    """Of its result; None where the file system does not tell whether files have changed."""
    outcome: LotOutcome | None
    """If it has its result."""
    lacks: bool = False
    """Whether maps or exports that are asked for are missing beside the result, or the page has another language."""


def night_job(request: NightRequest) -> LotJob:
    """Check every option that all lots share, and complete it: a job with their settings.

    Raises:
        NoImagesError: if there is no such folder.
        ValueError: for an option out of range, by name.
    """
    require_folder(request.root, "root")
    plain = request.changed(good_from_verdicts=False, ignore_drawn=False, default_settings=True)
    return prepare(plain.lot(request.root, "night", "night"), images=())  # each product has proportions of its own


def survey(root: str, category: str | None, since: date | None) -> LotTree:
    """Find the lots below a root.

    Args:
        root: path or URL.
        category: only this one.
        since: lots of earlier dates are left out; lots without a date never are.

    Raises:
        NoImagesError: if there is no such folder, or it has no lots but images where lots are due.
        ValueError: if the root has no such category.
    """
    tree, category = find_lots(root), category and one_form(category)
    images = [left_out.path for left_out in tree.left_out if has_image_name(left_out.path)]
    if images and not tree.lots:
        raise NoImagesError(
            f"root must hold lots as <category>/<date>/…images, got {root}, which holds none but images such as "
            f"{images[0]}; give the folder that holds the categories"
        )
    if category is not None and category not in tree.categories:
        raise ValueError(
            f"category must be a folder below {root}, got {category!r}; "
            f"there are {', '.join(tree.categories) or 'none'}"
        )
    lots = [found for found in tree.lots if category in (None, found.category)]
    return LotTree(
        tree.categories,
        tuple(found for found in lots if since is None or found.date is None or found.date >= since),
        tree.left_out,
    )


def check_lot(found: FoundLot, job: LotJob, files: RunFiles = NO_FILES, *, default_settings: bool = False) -> LotCheck:
    """Whether a lot has a finished result for a job's settings, and beside it the files that are asked for.

    Images are opened only where too few are named like one, to say what the other files are.

    Raises:
        NoImagesError: if its folder is gone.
    """
    state = fingerprint(found.folder)
    if state.image_count < LEAST_IMAGES:
        try:
            require_enough(list_folder(found.folder), found.folder, store=Store(job.store))
        except NoImagesError as error:
            return LotCheck(None, LotOutcome(found, Status.TOO_SMALL, reason=str(error)))
    if state.digest is None:
        log.info("%s has no fingerprint, as its file system keeps no times; the lot is checked in full", found.folder)
        return LotCheck(None, None)
    key = result_key(found, state.digest, job, default_settings=default_settings)
    stored = read_result(Store(job.store), key)
    if stored is None:
        log.debug("%s: no result is known for its fingerprint", found.folder)
        return LotCheck(key, None)
    if stored.run is None:
        return LotCheck(key, LotOutcome(found, Status.TOO_SMALL, reason=stored.reason))
    page = Store(job.store).location(stored.page or stored.run)
    finished = LotOutcome(
        found,
        Status.FINISHED,
        stored.images,
        stored.run,
        flagged=stored.flagged,
        suspect=stored.suspect,
        left_out=stored.left_out,
        page=page,
    )
    made = NO_FILES.folders | stored.files
    return LotCheck(key, finished, any(made.get(name) != value for name, value in files.folders.items()))


def remember(job: LotJob, key: str | None, outcome: LotOutcome, files: RunFiles = NO_FILES) -> None:
    """Store a lot's outcome under its fingerprint, so that the next night skips it; not if parts are missing.

    Args:
        files: maps and exports that were made; those of earlier nights are kept in mind.
    """
    if key is None or outcome.problems:
        return
    store = Store(job.store)
    page = store.inside(outcome.page) if outcome.page else ""
    counts = outcome.images, outcome.flagged, outcome.suspect
    known = read_result(store, key)
    made = (known.files if known else {}) | files.folders
    write_result(store, key, KnownResult(outcome.run or None, outcome.reason, *counts, outcome.left_out, page, made))


def note_outcome(job: LotJob, outcome: LotOutcome) -> None:
    """Note a lot that has no result, so that the review site can show why; nothing for the others."""
    if outcome.status in (Status.TOO_SMALL, Status.FAILED):
        found = outcome.found
        note_attempt(Store(job.store), begin(found.lot, found.category, absolute(found.folder), outcome.reason))


def result_key(found: FoundLot, files_digest: str, job: LotJob, *, default_settings: bool = False) -> str:
    """The key of a lot's result: its files as seen from outside, its name, and all that decides its scores."""
    return digest(
        {
            "stage": "night",
            "versions": [FEATURES_VERSION, PATCH_SCORES_VERSION, GROUPS_VERSION, RUN_VERSION],
            "files": files_digest,
            "lot": found.lot,
            "category": found.category,
            # a new verdict, drawing or accepted setting is no reason to score old nights again
            "job": job.key_values(job.not_in_key | {"judged_good", "lot", "category"}),
            "keep_aspect": job.settings.keep_aspect,
            "smallest_flaw": job.flaw_size.flaw if job.flaw_size else None,
            **({"default_settings": True} if default_settings else {}),
        }
    )
