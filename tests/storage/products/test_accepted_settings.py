"""Settings accepted for a product: the latest counts, and nothing is lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from storage.errors import DamagedError, FormatVersionError
from storage.products.accepted_settings import AcceptedSettings, accepted_files, add_accepted, latest_accepted
from storage.store import Store

FOUND = AcceptedSettings("cap", {"backbone": "texture"}, "Ann", "tunings/cap-1", 5, 6)


def test_latest_accepted_settings_count_and_earlier_ones_stay(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert latest_accepted(store, "cap") is None
    add_accepted(store, FOUND)
    path = add_accepted(store, replace(FOUND, settings={"backbone": "net"}))
    found = latest_accepted(store, "cap")
    assert found is not None
    assert (found[0], found[1].settings, found[1].good) == (path, {"backbone": "net"}, 6)
    assert latest_accepted(store, "nut") is None
    assert len(accepted_files(store, "cap")) == 2


def test_settings_accepted_later_count_though_the_clock_was_set_back(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    add_accepted(store, replace(FOUND, time="2027-01-01T00:00:00.000000+00:00"))
    add_accepted(store, replace(FOUND, name="Bob", time="2026-01-01T00:00:00.000000+00:00"))
    found = latest_accepted(store, "cap")
    assert found is not None
    assert found[1].name == "Bob"


def test_going_back_leaves_no_settings(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    add_accepted(store, FOUND)
    add_accepted(store, AcceptedSettings("cap", {}, "Bob"))
    assert latest_accepted(store, "cap") is None


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"{", DamagedError), (b'{"format_version": 1}', DamagedError), (b'{"format_version": 9}', FormatVersionError)],
)
def test_file_that_holds_no_settings_is_refused_with_what_to_do(
    content: bytes, error: type[Exception], tmp_path: Path
) -> None:
    store = Store(str(tmp_path))
    store.write("products/cap/2.json", content)
    with pytest.raises(error, match=r"products/cap/2\.json in .* must .*delete it"):
        latest_accepted(store, "cap")


def test_name_is_needed() -> None:
    with pytest.raises(ValueError, match="name must have 1 to 80 characters, got 0; say who accepts"):
        replace(FOUND, name="")
