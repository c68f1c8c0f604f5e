"""Profiles of runs: found again in the order of their time."""

import os
from pathlib import Path

import pandas as pd
import pytest

from storage.artefacts import MARKER, writing
from storage.errors import DamagedError
from storage.results.profiles import (
    PROFILE,
    Profile,
    earlier_profiles,
    later_profiles,
    profile_path,
    read_appearance,
    read_profile,
    series_of_profile,
    write_profile,
)
from storage.store import Store

TABLE = pd.DataFrame({"image_id": ["a"], "brightness": [0.5], "sharpness": [float("nan")]})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def night_of(day: int, **facts: object) -> Profile:
    """The profile of a night of November, told from others by its images' number."""
    usual = {"run": f"runs/{day}", "lot": "bolt", "recorded": "2026-12-01", "listing": f"lot {day}", "flagged_count": 0}
    numbers = dict.fromkeys(("flagged_rate", "score_median", "score_p90", "score_p99", "brightness"), 0.5)
    return Profile.model_validate(
        {**usual, **numbers, "image_count": day, "sharpness": None, "mean_class_token": (0.6, 0.8), **facts}
    )


def keep_listing(
    store: Store, day: int, listing: str | None = None, series: str = "s", scored: int | None = None, **facts: object
) -> str:
    """Keep the profile of a night of November, which was scored on a day of December."""
    recorded = f"2026-12-{scored or day:02d}T04:05:06.000007+00:00"
    path = profile_path(series, f"2026-11-{day:02d}", recorded, f"{day:032x}")
    with writing(store, path) as staging:
        write_profile(store, staging.path, night_of(day, listing=listing or f"lot {day}", **facts), TABLE)
    return path


def days(store: Store, path: str, most: int = 30) -> list[int]:
    return [profile.image_count for profile in earlier_profiles(store, path, most)]


def test_profile_is_read_as_written(store: Store) -> None:
    path = keep_listing(store, 3)
    assert read_profile(store, path) == night_of(3, path=path)
    pd.testing.assert_frame_equal(read_appearance(store, path), TABLE)


def test_earlier_profiles_are_older_ones_oldest_first(store: Store) -> None:
    for day in (9, 2, 12, 4):
        keep_listing(store, day)
    assert days(store, keep_listing(store, 10)) == [2, 4, 9]


def test_nights_are_in_the_order_of_their_lots_whenever_they_were_scored(store: Store) -> None:
    paths = {day: keep_listing(store, day, scored=28 - day) for day in (9, 2, 12, 4)}
    assert days(store, paths[12]) == [2, 4, 9]
    assert days(store, paths[2]) == []
    assert [profile.image_count for profile in later_profiles(store, paths[2], 2)] == [4, 9]
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


def damage(store: Store, path: str, content: bytes) -> None:
    """Put other content into a profile and keep its size, so that the artefact still looks complete."""
    size = len(store.read(f"{path}/{PROFILE}"))
    store.write(f"{path}/{PROFILE}", content.ljust(size))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "must hold the profile of a run, but Input should be an object"),
        (b'{"run": "runs/3"}', "but lot: Field required; delete its folder and score the lot again"),
    ],
)
def test_damaged_profile_is_refused_in_a_sentence(store: Store, content: bytes, said: str) -> None:
    path = keep_listing(store, 3)
    damage(store, path, content)
    with pytest.raises(DamagedError, match=rf"^{path}/{PROFILE} must hold") as refusal:
        read_profile(store, path)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_damaged_profile_of_an_earlier_night_is_left_out_and_logged(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    paths = {day: keep_listing(store, day) for day in (1, 2, 10)}
    damage(store, paths[1], b"{}")
    assert days(store, paths[10]) == [2]
    assert f"left out of the comparison: {paths[1]}" in caplog.text


def test_nights_of_a_series_are_told_by_one_listing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 5):
        keep_listing(store, day)
    listed: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.append(str(path)), scandir(path))[1])
    assert len(series_of_profile(store, "profiles/s/any")) == 4
    assert len(listed) == 1
