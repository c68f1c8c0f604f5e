"""Launchers end as their command, which gets their signals and does not outlive them."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows import launched
from tests.flows.real_server import wait_for
from tests.forking import ForkServer

PATIENCE_SECONDS = 60
WAITS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(os.getpid(), *sys.argv[1:], os.environ["GIVEN"], flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(forks: ForkServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """One with the launcher of a program that waits."""
    (tmp_path / "waits.py").write_text(WAITS)
    monkeypatch.setattr(launched, "MODULES", {"wait": "waits"})
    with launched.launchers(tmp_path, forks):
        yield tmp_path


@contextmanager
def waiting(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A launcher, and the process id of its command."""
    words, variables = [str(folder / "wait"), "two words"], {**os.environ, "GIVEN": "yes"}
    with subprocess.Popen(words, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True) as launcher:
        try:
            assert launcher.stdout
            pid, *said = launcher.stdout.readline().split()
            assert said == ["two", "words", "yes"]
            assert int(pid) != launcher.pid
            yield launcher, int(pid)
        finally:
            launcher.kill()


def test_signal_reaches_the_command_whose_end_is_that_of_its_launcher(folder: Path) -> None:
    with waiting(folder) as (launcher, _):
        launcher.terminate()
        assert launcher.wait(PATIENCE_SECONDS) == 7
    with waiting(folder) as (launcher, pid):
        os.kill(pid, signal.SIGKILL)
        assert launcher.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def test_command_does_not_outlive_its_launcher(folder: Path) -> None:
    with waiting(folder) as (launcher, pid):
        launcher.kill()
        wait_for("end of the command", lambda: None if Path(f"/proc/{pid}").exists() else True, PATIENCE_SECONDS)
