"""Profile: numbers by which later nights are compared with a run: scores, brightness, sharpness, mean token."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from planning.task_results import StoredArtefact
from reports.brightness_sharpness import REMEMBERED, Appearance, appearance_of
from reports.page.run_files_specs import ProfileSpec
from reports.run_record import date_of_lot, read_record
from reports.unusual_nights import unit
from storage.artefacts import is_complete, writing
from storage.errors import ImageChangedError, UnreadableImageError
from storage.images.decode import decode
from storage.images.decoded_at_once import IN_FLIGHT
from storage.images.lots import ListedImage, read_image
from storage.results.features import LotFeatures
from storage.results.profiles import Profile, write_profile
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime import progress

if TYPE_CHECKING:
    import pandas as pd


log = logging.getLogger(__name__)

DECODERS = 4
"""Threads that read, decode and measure photographs."""
AT_ONCE = 64
"""Images between two reports of progress."""


def profile_run(spec: ProfileSpec) -> StoredArtefact:
    """Make sure a run's profile is stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        run = Run(store, spec.run)
        images = run.scored_images()
        table = appearance_table(spec, images)
        features = LotFeatures(store, read_record(run).keys.features)
        with writing(store, spec.path) as staging:
            write_profile(store, staging.path, profile_of(run, table, features.class_tokens()), table)
    return StoredArtefact(path=spec.path)


def appearance_table(spec: ProfileSpec, images: Sequence[ListedImage]) -> "pd.DataFrame":
    """Brightness and sharpness of every scored image, in their order; NaN where the file is gone or another."""
    import pandas as pd

    measure = partial(appearance_now, Store(spec.folder))
    measured: list[Appearance] = []
    with ThreadPoolExecutor(DECODERS) as decoders:
        for start in range(0, len(images), AT_ONCE):
            chunk = images[start : start + AT_ONCE]
            measured += decoders.map(measure, chunk)
            progress.advance("profile", spec.key, len(chunk))
    columns = {name: np.array([getattr(item, name) for item in measured], dtype=float) for name in Appearance._fields}
    return pd.DataFrame({"image_id": [image.image_id for image in images], **columns})


def appearance_now(folder: Store, image: ListedImage) -> Appearance:
    """Measures of a listed image, as extraction noted them or from its file.

    NaN where it is no longer as listed, because a report must not fail for that.
    """
    if known := REMEMBERED.of(image.sha256):
        return known
    try:
        with IN_FLIGHT.holding(image):
            return appearance_of(decode(read_image(folder, image)))
    except (ImageChangedError, UnreadableImageError, OSError) as error:
        log.info("brightness and sharpness of %s are not known: %s", image.path, error)
        return Appearance(float("nan"), float("nan"))


def profile_of(run: Run, appearance: "pd.DataFrame", class_tokens: np.ndarray) -> Profile:
    """The numbers of one run; None where there is none.

    Args:
        run: finished.
        appearance: as `appearance_table`.
        class_tokens: float (N, D).
    """
    record, raw = read_record(run), run.scores()["raw_score"].to_numpy()
    flagged_count = record.decision.flagged_count
    return Profile(
        run=run.path,
        lot=record.job.lot,
        dated=date_of_lot(record.job) is not None,
        recorded=record.recorded,
        listing=record.keys.listing,
        image_count=len(raw),
        flagged_count=flagged_count,
        flagged_rate=flagged_count / len(raw),
        score_median=float(np.quantile(raw, 0.5)),
        score_p90=float(np.quantile(raw, 0.9)),
        score_p99=float(np.quantile(raw, 0.99)),
        brightness=known_median(appearance["brightness"]),
        sharpness=known_median(appearance["sharpness"]),
        mean_class_token=tuple(unit(unit(class_tokens.astype(float)).mean(axis=0)).tolist()),
    )


def known_median(values: "pd.Series") -> float | None:
    """The median of the values that are known."""
    present = values.dropna()
    return float(present.median()) if len(present) else None
