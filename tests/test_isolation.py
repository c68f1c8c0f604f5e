"""What a test changes of its process is undone before the next one: both turns do the same, and find nothing of it."""

import logging
import os
import signal
from pathlib import Path

import pytest
import torch

from cli.process.environment import prepare_environment
from cli.process.signals import stop_on_signals

VARIABLE = "MUSC_LEFT_BY_A_TEST"


@pytest.mark.parametrize("turn", ["first", "second"])
def test_process_is_as_it_was_before_another_test(turn: str, tmp_path: Path) -> None:
    assert VARIABLE not in os.environ
    assert Path.cwd().exists()
    assert torch.get_num_threads() == 1
    handler = signal.getsignal(signal.SIGTERM)
    assert getattr(handler, "__module__", None) != "cli.process.signals"
    assert logging.getLogger("tasks").level == logging.NOTSET
    assert {type(found).__module__.split(".")[0] for found in logging.getLogger().handlers} <= {"_pytest"}
    os.environ[VARIABLE] = turn
    os.chdir(tmp_path)
    torch.set_num_threads(2)
    stop_on_signals()
    prepare_environment(verbosity=2)
    logging.getLogger().addHandler(logging.StreamHandler())


@pytest.mark.slow
@pytest.mark.parametrize("turn", ["first", "second"])
def test_prefect_has_its_settings_again(turn: str, prefect_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect import context

    address = "http://left-by-a-test/api"
    assert context.GLOBAL_SETTINGS_CONTEXT.settings.api.url != address
    monkeypatch.setenv("PREFECT_API_URL", address)
    context.refresh_global_settings_context()
    assert context.GLOBAL_SETTINGS_CONTEXT.settings.api.url == address
