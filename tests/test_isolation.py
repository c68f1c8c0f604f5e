"""What a test changes of its process is undone before the next one: both turns do the same, and find nothing of it."""

import os
import signal
from pathlib import Path

import pytest
import torch

from cli.process.signals import stop_on_signals

VARIABLE = "MUSC_LEFT_BY_A_TEST"


@pytest.mark.parametrize("turn", ["first", "second"])
def test_process_is_as_it_was_before_another_test(turn: str, tmp_path: Path) -> None:
    assert VARIABLE not in os.environ
    assert Path.cwd().exists()
    assert torch.get_num_threads() == 1
    handler = signal.getsignal(signal.SIGTERM)
    assert getattr(handler, "__module__", None) != "cli.process.signals"
    os.environ[VARIABLE] = turn
    os.chdir(tmp_path)
    torch.set_num_threads(2)
    stop_on_signals()
