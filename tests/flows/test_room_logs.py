"""Which of the rooms' log lines reach Prefect's server."""

import logging

import pytest

from flows.room_logs import EXTRA, show_room_logs


@pytest.fixture
def prefect_level() -> logging.Logger:
    """The logger whose level Prefect sets for others and does not hand on."""
    return logging.getLogger("prefect.extra")


@pytest.mark.parametrize(
    ("level", "shown"), [(logging.INFO, True), (logging.WARNING, False), (logging.CRITICAL, False)]
)
def test_rooms_say_as_much_as_prefect_itself(
    level: int, shown: bool, prefect_level: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTRA, "flows,tasks")
    monkeypatch.setattr(prefect_level, "level", level)
    show_room_logs()
    assert [logging.getLogger(name).level != logging.NOTSET for name in ("flows", "tasks", "reports")] == [
        shown,
        shown,
        False,
    ]
    assert logging.getLogger("flows.devices.limit").isEnabledFor(logging.WARNING)
