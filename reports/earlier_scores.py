"""Raw scores of a product's earlier nights, from which a lot's thresholds come where there are enough of them.

Nights that are unlike the others say little about good parts, and parts that people judged defective are none: both are
left out. Everything else counts, as most parts of most nights are good.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

import numpy as np

from planning.lot_job import LotJob
from reports.notices import series_of
from reports.run_record import date_of_lot
from reports.unusual_nights import MAX_EARLIER, compare
from storage.artefacts import is_complete
from storage.local_time import local_now
from storage.results.profiles import Profile, earlier_in_series, night_names, profile_path
from storage.results.runs import Run
from storage.results.verdict_reader import reader_of
from storage.results.verdicts import DEFECTIVE, current_verdicts
from storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NightScores:
    """What one earlier night says of good parts."""

    run: str
    """Path in the store."""
    raw_scores: np.ndarray
    """(n,) of the images that nobody judged defective."""


def earlier_runs(job: LotJob, lot_key: str) -> tuple[str, ...]:
    """Paths of the runs of a product's usual earlier nights scored in the same way, oldest first.

    Earlier is what lies before the date of the lot, or was scored before on the same day; the same images scored
    again, or the same dated lot, are no other night.

    Args:
        job: that is about to be decided.
    """
    store, moment, day = Store(job.store), local_now(), date_of_lot(job)
    night = (day or moment.date()).isoformat()
    path = profile_path(series_of(job), night, moment.astimezone(UTC).isoformat(timespec="microseconds"), "")
    names = night_names(lot_key, job.lot, dated=day is not None)
    nights = nights_without_drift(earlier_in_series(store, path, names, MAX_EARLIER))
    return tuple(night.run for night in nights if is_complete(store, night.run))


def nights_without_drift(nights: Sequence[Profile]) -> list[Profile]:
    """The nights of which no measure is unusual beside the other nights."""
    return [
        night
        for position, night in enumerate(nights)
        if not any(
            measured.state == "unusual" for measured in compare(night, [*nights[:position], *nights[position + 1 :]])
        )
    ]


def night_scores(store: Store, runs: Sequence[str]) -> list[NightScores]:
    """The raw scores of earlier nights without parts that people judged defective; runs that are gone are left out.

    Args:
        runs: paths, oldest first.
    """
    verdicts, result = reader_of(store), []
    for path in runs:
        if not is_complete(store, path):
            log.info("the scores of %s are gone and decide nothing", path)
            continue
        scores, current = Run(store, path).scores(), current_verdicts(verdicts.about(path))
        defective = current.loc[current["verdict"] == DEFECTIVE, "image_id"]
        good = scores.loc[~scores["image_id"].isin(defective), "raw_score"]
        if len(good):
            result.append(NightScores(path, good.to_numpy(dtype=np.float64)))
    return result
