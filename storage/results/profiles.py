"""Profiles: a few numbers of every run, kept apart from the runs so that the next night can be compared with this one.

`profiles/<series>/<night>-<time>-<run>/` holds `profile.json` and `appearance.parquet`. A **series** is one product
scored in one way, so a listing of one folder gives all runs that can be compared, in the order of their nights, and of
the time they were recorded within a night.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from storage.artefacts import is_complete
from storage.errors import DamagedError
from storage.folder_names import names_in
from storage.store import PARTIAL, Store
from storage.tables import read_table, write_table

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "profiles"
PROFILE = "profile.json"
APPEARANCE = "appearance.parquet"

log = logging.getLogger(__name__)


class Profile(BaseModel):
    """The numbers of one run."""

    model_config = ConfigDict(frozen=True)

    path: str = ""
    """Of the profile in the store; not part of the file."""
    run: str
    """Path of the run in the store."""
    lot: str
    dated: bool = False
    """Whether the name of the lot or of its folder begins with a date."""
    recorded: str
    """When the run was recorded: UTC, ISO 8601."""
    listing: str
    """Key of the lot's listing."""
    image_count: int
    flagged_count: int
    flagged_rate: float
    score_median: float
    """Quantiles of the raw scores."""
    score_p90: float
    score_p99: float
    brightness: float | None
    """Medians over the photographs; None where none could be read."""
    sharpness: float | None
    mean_class_token: tuple[float, ...]
    """Of length 1."""


def profile_path(series: str, night: str, recorded: str, run_key: str) -> str:
    """Where a run's profile lies.

    Args:
        series: digest of the product and of how it is scored.
        night: date of the night, ISO 8601.
        recorded: UTC time of the run's record, ISO 8601 with microseconds.

    >>> profile_path("4f2a", "2026-11-20", "2026-11-21T04:05:06.000007+00:00", "ab12cd34ef")
    'profiles/4f2a/20261120-20261121T040506000007-ab12cd34'
    """
    time = recorded.partition("+")[0].replace("-", "").replace(":", "").replace(".", "")
    return f"{FOLDER}/{series}/{night.replace('-', '')}-{time}-{run_key[:8]}"


def earlier_profiles(store: Store, path: str, most: int) -> list[Profile]:
    """The latest profiles of the same series whose night is earlier than this one's, as `choose_earlier` takes them.

    Args:
        path: of the profile that is compared; it must be there.
        most: as many at most.

    Returns:
        Profiles, oldest first.
    """
    return earlier_in_series(store, path, names_of(read_profile(store, path)), most)


def earlier_in_series(store: Store, path: str, names: set[str], most: int) -> list[Profile]:
    """The latest profiles before a place in a series, whether or not a profile lies there; see `earlier_profiles`.

    Args:
        path: of the place, as `profile_path` makes it.
        names: of the night there, as `night_names` gives them.
        most: as many at most.
    """
    before = [other for other in series_of_profile(store, path) if other < path]
    return choose_earlier(names, read_complete(store, reversed(before)), most)


def later_profiles(store: Store, path: str, most: int) -> list[Profile]:
    """The profiles of the same series whose nights follow this one, `most` of them, oldest first."""
    after = [other for other in series_of_profile(store, path) if other > path]
    return list(islice(read_complete(store, after), most))


def choose_earlier(names: set[str], before: Iterable[Profile], most: int) -> list[Profile]:
    """The runs a night is compared with: each night once, as it was scored last, and never the night itself.

    The same images scored again, or a dated lot that got more images, say nothing about another night.

    Args:
        names: of the night, as `night_names` gives them.
        before: profiles of the runs before it, the latest first; no more of them are read than are needed.
        most: as many at most.

    Returns:
        Profiles, oldest first.
    """
    known_names = set(names)
    earlier: list[Profile] = []
    for profile in before:
        if len(earlier) == most:
            break
        if not names_of(profile) & known_names:
            known_names |= names_of(profile)
            earlier.append(profile)
    return earlier[::-1]


def names_of(profile: Profile) -> set[str]:
    """The names of a profile's night."""
    return night_names(profile.listing, profile.lot, dated=profile.dated)


def night_names(listing: str, lot: str, *, dated: bool) -> set[str]:
    """By what a night is known: its images, and the name of its lot if that is dated."""
    return {f"images {listing}", *([f"lot {lot}"] if dated else [])}


def series_of_profile(store: Store, path: str) -> list[str]:
    """Paths of the profiles of a profile's series, the earliest night first."""
    series = path.rpartition("/")[0]
    return [f"{series}/{name}" for name in names_in(store, series) if PARTIAL not in name]


def read_complete(store: Store, paths: Iterable[str]) -> Iterator[Profile]:
    """The profiles at these paths that are complete, each read when it is asked for; damaged ones are left out."""
    for path in paths:
        if is_complete(store, path):
            try:
                yield read_profile(store, path)
            except DamagedError as error:
                log.warning("a night is left out of the comparison: %s", error)


def write_profile(store: Store, path: str, profile: Profile, appearance: "pd.DataFrame") -> None:
    """Write both files into the folder of an artefact."""
    values = profile.model_dump(mode="json", exclude={"path"})
    store.write(f"{path}/{PROFILE}", json.dumps(values, indent=1, sort_keys=True, allow_nan=False).encode())
    write_table(store, f"{path}/{APPEARANCE}", appearance)


def read_profile(store: Store, path: str) -> Profile:
    """The numbers of a run.

    Raises:
        FileNotFoundError: if there are none.
        DamagedError: if the file is no profile, or one of another release.
    """
    return parse_profile(store.read(f"{path}/{PROFILE}"), path)


def parse_profile(content: bytes, path: str) -> Profile:
    """A profile from the bytes of its `profile.json`.

    Raises:
        DamagedError: if the file is no profile, or one of another release.
    """
    try:
        return Profile.model_validate_json(content).model_copy(update={"path": path})
    except ValidationError as error:
        first = error.errors()[0]
        field = f"{'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
        raise DamagedError(
            f"{path}/{PROFILE} must hold the profile of a run, but {field}{first['msg']}; delete its folder and score "
            "the lot again, which makes nothing else anew"
        ) from None


def read_appearance(store: Store, path: str) -> "pd.DataFrame":
    """A row per scored image: `image_id`, `brightness`, `sharpness`, NaN where the file could no longer be read."""
    return read_table(store, f"{path}/{APPEARANCE}")
