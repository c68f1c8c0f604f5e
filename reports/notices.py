"""Warnings about a finished run, the same on its page, on the console and in events."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from planning.lot_job import LotJob
from reports.languages.current import gettext as _
from reports.languages.numbers import number as number_of
from reports.run_record import RunRecord, night_of
from reports.unusual_nights import MAX_EARLIER, MeasureComparison, compare, number
from storage.artefacts import digest, is_complete
from storage.errors import DamagedError
from storage.results.profiles import Profile, earlier_profiles, later_profiles, profile_path, read_profile
from storage.store import Store

log = logging.getLogger(__name__)

DARK = 1 / 16
"""Median brightness below which photographs are called nearly black; white in 12 of 16 bits is as bright."""


@dataclass(frozen=True)
class Notices:
    """Of one run."""

    flagged_count: int
    suspect_count: int
    left_out: str
    """How many files were not scored, by status; empty if all were."""
    warnings: tuple[str, ...]
    """Every warning once, as sentences: the run's own, and what is unusual."""
    unusual: tuple[str, ...] = ()
    """Labels of the measures that are unlike those of earlier nights."""
    is_followed: bool = False
    """Whether a later night of the product was scored already."""


def notices_of(store: Store, record: RunRecord) -> Notices:
    """The warnings about a finished run, compared with the earlier nights as on its page."""
    path = profile_of_run(record)
    if not is_complete(store, path):
        return own_notices(record)
    try:
        profile = read_profile(store, path)
    except DamagedError as error:
        log.warning("the run is not compared with earlier nights: %s", error)
        return own_notices(record)
    compared = compare(profile, earlier_profiles(store, path, MAX_EARLIER))
    return Notices(
        flagged_count=record.decision.flagged_count,
        left_out=record.left_out,
        suspect_count=record.decision.suspect_count,
        warnings=tuple(warnings_of(record, profile, compared)),
        unusual=tuple(comparison.measure.label for comparison in compared if comparison.state == "unusual"),
        is_followed=bool(later_profiles(store, path, 1)),
    )


def own_notices(record: RunRecord) -> Notices:
    """What a run says of itself, compared with nothing."""
    decision = record.decision
    warnings = tuple(warnings_of(record, None, []))
    return Notices(decision.flagged_count, decision.suspect_count, record.left_out, warnings)


def warnings_of(record: RunRecord, profile: Profile | None, compared: Sequence[MeasureComparison]) -> list[str]:
    """Every warning once: the run's own, and what is unusual."""
    unusual = [comparison.warning for comparison in compared if comparison.warning]
    brightness = number(profile, "brightness") if profile else float("nan")
    return [*dict.fromkeys(record.warnings), *dark(brightness), *unusual]


def dark(brightness: float) -> list[str]:
    """A warning if most photographs are nearly black.

    Args:
        brightness: the median of the images', in [0, 1]; NaN if none is known.
    """
    if not brightness < DARK:
        return []
    return [
        _(
            "Most photographs are nearly black: half of them have a brightness of at most %(brightness)s of 1. If they "
            "hold 10 or 12 bits in files of 16, scale them up first, as levels were lost; else look at lamp and "
            "camera.",
            brightness=number_of(brightness, ".3f"),
        )
    ]


def profile_of_run(record: RunRecord) -> str:
    """Path of a run's profile."""
    return profile_path(series_of(record.job), night_of(record), record.recorded, record.keys.run)


def series_of(job: LotJob) -> str:
    """What runs must have in common to be compared: the product, the backbone and all that decides raw scores.

    Which earlier runs served as references does not count: it differs from night to night.
    """
    with_earlier = bool(job.settings.references_from or job.judged_good or job.good)
    return digest({"with_earlier": with_earlier, **job.raw_score_identity})
