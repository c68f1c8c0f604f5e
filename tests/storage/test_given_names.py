"""Short names: plain ones stay, long ones stay apart, and no disk refuses the result."""

import doctest

import pytest

from storage import given_names as names
from storage.given_names import MAX_NAME_BYTES, short_name
from storage.store import Store

LONG = {"ASCII": "a" * 251, "two bytes": "ü" * 126, "three bytes": "件" * 84, "four bytes": "🔩" * 63}


def test_doctests() -> None:
    assert doctest.testmod(names).failed == 0


@pytest.mark.parametrize("name", ["a.png", "部品 7.png", "x" * (MAX_NAME_BYTES - 5)])
def test_names_that_fit_are_kept(name: str) -> None:
    assert short_name(name, ".tiff") == f"{name}.tiff"


@pytest.mark.parametrize("script", LONG)
def test_long_names_become_short_and_keep_their_beginning_and_ending(script: str) -> None:
    short = short_name(LONG[script], ".overlay.png")
    assert MAX_NAME_BYTES - 4 <= len(short.encode()) <= MAX_NAME_BYTES
    assert short.endswith(".overlay.png")
    kept = short.partition("~")[0]
    assert len(kept) > 40
    assert LONG[script].startswith(kept)


def test_long_names_of_one_beginning_stay_apart() -> None:
    assert len({short_name("a" * 250 + last, ".png") for last in "bcdef"}) == 5


@pytest.mark.parametrize("script", LONG)
def test_every_short_name_can_be_written_aside(script: str, tmp_path: object) -> None:
    store, name = Store(str(tmp_path)), short_name(LONG[script], ".overlay.png")
    store.write(name, b"map")
    assert store.read(name) == b"map"
