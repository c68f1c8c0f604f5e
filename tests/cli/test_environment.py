"""Prefect's settings for a command: what the user has set stays."""

import logging
import os

import pytest

from cli.environment import DEFAULTS, QUIET, prepare_environment


@pytest.mark.parametrize(("verbose", "expected"), [(False, {**DEFAULTS, **QUIET}), (True, DEFAULTS)])
def test_environment_is_quiet_unless_told_otherwise(
    verbose: bool, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {})
    counting = logging.getLogger("EventsWorker")
    counting.setLevel(logging.NOTSET)
    prepare_environment(verbose=verbose)
    assert os.environ == expected
    assert counting.level == (logging.NOTSET if verbose else logging.ERROR)


def test_environment_keeps_what_the_user_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "60"}
    monkeypatch.setattr(os, "environ", dict(chosen))
    prepare_environment(verbose=False)
    assert os.environ == {**DEFAULTS, **QUIET, **chosen}
