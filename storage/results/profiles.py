"""Profiles: a few numbers of every run, kept apart from the runs so that the next night can be compared with this one.

`profiles/<series>/<time>-<run>/` holds `profile.json` and `appearance.parquet`. A **series** is one product scored in
one way, so a listing of one folder gives all runs that can be compared, in the order of their time.
"""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from storage.artefacts import is_complete
from storage.store import PARTIAL, Store
from storage.tables import read_table, write_table

FOLDER = "profiles"
PROFILE = "profile.json"
APPEARANCE = "appearance.parquet"


def profile_path(series: str, recorded: str, run_key: str) -> str:
    """Where a run's profile lies.

    Args:
        series: digest of the product and of how it is scored.
        recorded: UTC time of the run's record, ISO 8601 with microseconds.
        run_key: of the run.

    >>> profile_path("4f2a", "2026-11-21T04:05:06.000007+00:00", "ab12cd34ef")
    'profiles/4f2a/20261121T040506000007-ab12cd34'
    """
    time = recorded.partition("+")[0].replace("-", "").replace(":", "").replace(".", "")
    return f"{FOLDER}/{series}/{time}-{run_key[:8]}"


def earlier_profiles(store: Store, path: str, most: int) -> list[dict[str, Any]]:
    """The latest profiles of the same series that are older than this one, of other images each, oldest first.

    Args:
        store: where.
        path: of the profile that is compared; it must be there.
        most: as many at most.

    Returns:
        Profiles as they were written, with their `path`.
    """
    series, _, own = path.rpartition("/")
    names = {name.split("/")[0] for name in store.sizes(series)}
    seen = {read_profile(store, path)["listing"]}
    found: list[dict[str, Any]] = []
    for name in sorted(names, reverse=True):
        known = f"{series}/{name}"
        if len(found) < most and name < own and PARTIAL not in name and is_complete(store, known):
            profile = read_profile(store, known)
            if profile["listing"] not in seen:  # the same images scored again say nothing about another night
                seen.add(profile["listing"])
                found.append({**profile, "path": known})
    return found[::-1]


def write_profile(store: Store, path: str, profile: Mapping[str, Any], appearance: pd.DataFrame) -> None:
    """Write both files into the folder of an artefact."""
    store.write(f"{path}/{PROFILE}", json.dumps(profile, indent=1, sort_keys=True, allow_nan=False).encode())
    write_table(store, f"{path}/{APPEARANCE}", appearance)


def read_profile(store: Store, path: str) -> dict[str, Any]:
    """The numbers of a run.

    Raises:
        FileNotFoundError: if there are none.
    """
    return dict(json.loads(store.read(f"{path}/{PROFILE}")))


def read_appearance(store: Store, path: str) -> pd.DataFrame:
    """A row per scored image: `image_id`, `brightness`, `sharpness`, NaN where the file could no longer be read."""
    return read_table(store, f"{path}/{APPEARANCE}")
