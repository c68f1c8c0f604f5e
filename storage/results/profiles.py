"""Profiles: a few numbers of every run, kept apart from the runs so that the next night can be compared with this one.

`profiles/<series>/<night>-<time>-<run>/` holds `profile.json` and `appearance.parquet`. A **series** is one product
scored in one way, so a listing of one folder gives all runs that can be compared, in the order of their nights, and of
the time they were recorded within a night.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import pandas as pd

from storage.artefacts import is_complete
from storage.store import PARTIAL, Store
from storage.tables import read_table, write_table

FOLDER = "profiles"
PROFILE = "profile.json"
APPEARANCE = "appearance.parquet"


def profile_path(series: str, night: str, recorded: str, run_key: str) -> str:
    """Where a run's profile lies.

    Args:
        series: digest of the product and of how it is scored.
        night: date of the night, ISO 8601.
        recorded: UTC time of the run's record, ISO 8601 with microseconds.
        run_key: of the run.

    >>> profile_path("4f2a", "2026-11-20", "2026-11-21T04:05:06.000007+00:00", "ab12cd34ef")
    'profiles/4f2a/20261120-20261121T040506000007-ab12cd34'
    """
    time = recorded.partition("+")[0].replace("-", "").replace(":", "").replace(".", "")
    return f"{FOLDER}/{series}/{night.replace('-', '')}-{time}-{run_key[:8]}"


def earlier_profiles(store: Store, path: str, most: int) -> list[dict[str, Any]]:
    """The latest profiles of the same series whose night is earlier than this one's, as `choose_earlier` takes them.

    Args:
        store: where.
        path: of the profile that is compared; it must be there.
        most: as many at most.

    Returns:
        Profiles as they were written, with their `path`, oldest first.
    """
    before = [other for other in series_of_profile(store, path) if other < path]
    return choose_earlier(read_profile(store, path), read_complete(store, reversed(before)), most)


def later_profiles(store: Store, path: str, most: int) -> list[dict[str, Any]]:
    """The profiles of the same series whose nights follow this one, `most` of them, oldest first, with their `path`."""
    after = [other for other in series_of_profile(store, path) if other > path]
    return list(islice(read_complete(store, after), most))


def choose_earlier(tonight: Mapping[str, Any], before: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The runs a night is compared with: each night once, as it was scored last, and never the night itself.

    The same images scored again, or a dated lot that got more images, say nothing about another night.

    Args:
        tonight: profile of the night.
        before: profiles of the runs before it, the latest first; no more of them are read than are needed.
        most: as many at most.

    Returns:
        Profiles, oldest first.
    """
    seen = nights_of(tonight)
    found: list[dict[str, Any]] = []
    for profile in before:
        if len(found) == most:
            break
        if not nights_of(profile) & seen:
            seen |= nights_of(profile)
            found.append(profile)
    return found[::-1]


def nights_of(profile: Mapping[str, Any]) -> set[str]:
    """By what a night is known: its images, and the name of its lot if that is dated."""
    return {f"images {profile['listing']}", *([f"lot {profile['lot']}"] if profile.get("dated") else [])}


def series_of_profile(store: Store, path: str) -> list[str]:
    """Paths of the profiles of a profile's series, the earliest night first."""
    series = path.rpartition("/")[0]
    names = {name.split("/")[0] for name in store.sizes(series)}
    return [f"{series}/{name}" for name in sorted(names) if PARTIAL not in name]


def read_complete(store: Store, paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The profiles at these paths that are complete, each read when it is asked for."""
    return (read_profile(store, path) for path in paths if is_complete(store, path))


def write_profile(store: Store, path: str, profile: Mapping[str, Any], appearance: pd.DataFrame) -> None:
    """Write both files into the folder of an artefact."""
    store.write(f"{path}/{PROFILE}", json.dumps(profile, indent=1, sort_keys=True, allow_nan=False).encode())
    write_table(store, f"{path}/{APPEARANCE}", appearance)


def read_profile(store: Store, path: str) -> dict[str, Any]:
    """The numbers of a run, and the `path` they lie at.

    Raises:
        FileNotFoundError: if there are none.
    """
    return {**json.loads(store.read(f"{path}/{PROFILE}")), "path": path}


def read_appearance(store: Store, path: str) -> pd.DataFrame:
    """A row per scored image: `image_id`, `brightness`, `sharpness`, NaN where the file could no longer be read."""
    return read_table(store, f"{path}/{APPEARANCE}")
