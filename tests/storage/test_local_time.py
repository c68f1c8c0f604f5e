"""Times as people read them."""

import time
from collections.abc import Iterator

import pytest

from storage.local_time import local_now, local_time


@pytest.fixture
def in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine five and a half hours before UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_kolkata")
def test_stored_time_is_shown_in_the_zone_of_the_machine() -> None:
    assert local_time("2026-11-20T22:15:00+00:00") == "2026-11-21 03:45 IST (UTC+05:30)"


@pytest.mark.usefixtures("in_kolkata")
def test_this_moment_knows_the_zone_of_the_machine() -> None:
    assert local_now().isoformat()[-6:] == "+05:30"
