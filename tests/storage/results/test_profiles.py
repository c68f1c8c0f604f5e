"""Profiles of runs: found again in the order of their time."""

from pathlib import Path

import pandas as pd
import pytest

from storage.artefacts import MARKER, writing
from storage.results.profiles import (
    earlier_profiles,
    later_profiles,
    profile_path,
    read_appearance,
    read_profile,
    write_profile,
)
from storage.store import Store

TABLE = pd.DataFrame({"image_id": ["a"], "brightness": [0.5], "sharpness": [float("nan")]})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def keep_listing(
    store: Store, day: int, listing: str | None = None, series: str = "s", scored: int | None = None, **facts: object
) -> str:
    """Keep the profile of a night of November, which was scored on a day of December."""
    recorded = f"2026-12-{scored or day:02d}T04:05:06.000007+00:00"
    path = profile_path(series, f"2026-11-{day:02d}", recorded, f"{day:032x}")
    with writing(store, path) as staging:
        write_profile(store, staging.path, {"day": day, "listing": listing or f"lot {day}", **facts}, TABLE)
    return path


def days(store: Store, path: str, most: int = 30) -> list[int]:
    return [profile["day"] for profile in earlier_profiles(store, path, most)]


def test_profile_is_read_as_written(store: Store) -> None:
    path = keep_listing(store, 3)
    assert read_profile(store, path) == {"day": 3, "listing": "lot 3", "path": path}
    pd.testing.assert_frame_equal(read_appearance(store, path), TABLE)


def test_earlier_profiles_are_older_ones_oldest_first(store: Store) -> None:
    for day in (9, 2, 12, 4):
        keep_listing(store, day)
    assert days(store, keep_listing(store, 10)) == [2, 4, 9]


def test_nights_are_in_the_order_of_their_lots_whenever_they_were_scored(store: Store) -> None:
    paths = {day: keep_listing(store, day, scored=28 - day) for day in (9, 2, 12, 4)}
    assert days(store, paths[12]) == [2, 4, 9]
    assert days(store, paths[2]) == []
    assert [profile["day"] for profile in later_profiles(store, paths[2], 2)] == [4, 9]
    assert later_profiles(store, paths[12], 30) == []


def test_dated_lot_that_got_more_images_counts_once_and_never_against_itself(store: Store) -> None:
    half, whole = ({"lot": "bolt-2026-11-03", "dated": True, "listing": name} for name in ("half", "whole"))
    keep_listing(store, 2)
    keep_listing(store, 3, scored=3, **half)  # type: ignore[arg-type]
    again = keep_listing(store, 3, scored=5, **whole)  # type: ignore[arg-type]
    assert days(store, again) == [2]
    assert days(store, keep_listing(store, 10)) == [2, 3]


def test_earlier_profiles_are_of_the_same_series(store: Store) -> None:
    keep_listing(store, 1, series="another")
    assert days(store, keep_listing(store, 10)) == []


def test_latest_of_the_earlier_profiles_are_taken(store: Store) -> None:
    for day in range(1, 8):
        keep_listing(store, day)
    assert days(store, keep_listing(store, 10), most=3) == [5, 6, 7]


def test_images_scored_twice_count_once_and_never_against_themselves(store: Store) -> None:
    for day, listing in ((1, "x"), (2, "y"), (3, "x"), (4, "tonight")):
        keep_listing(store, day, listing)
    assert days(store, keep_listing(store, 10, "tonight")) == [2, 3]


def test_incomplete_profile_is_left_out(store: Store, tmp_path: Path) -> None:
    (tmp_path / keep_listing(store, 1) / MARKER).unlink()
    keep_listing(store, 2)
    assert days(store, keep_listing(store, 10)) == [2]
