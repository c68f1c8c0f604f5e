"""Signals at moments when Prefect is only half there."""

import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from cli.process import signals

SERVER = "prefect.server.api.server"
WITH_ITS_OWN_END = """
import os, signal, sys, time
from types import ModuleType, SimpleNamespace
from cli.process import signals

module = sys.modules["prefect.server.api.server"] = ModuleType("server")
module.SubprocessASGIServer = lambda: SimpleNamespace(server_process=SimpleNamespace(terminate=lambda: None))
signals.stop_on_signals()
signals.act_on_signals(lambda: print("acted"))
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(0.3)
print("goes on")
"""


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("number", signals.SIGNALS)
def test_stop_before_there_is_a_server_says_so_and_exits(
    number: signal.Signals, imported: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, SERVER, raising=False)
    if imported:  # as it is while its own imports go on
        monkeypatch.setitem(sys.modules, SERVER, ModuleType(SERVER))
    with pytest.raises(SystemExit) as stopped:
        signals.stop(number, None)
    assert stopped.value.code == 128 + number
    assert "everything finished is kept" in capsys.readouterr().err


def test_embedded_server_is_the_one_prefect_started(monkeypatch: pytest.MonkeyPatch) -> None:
    module, process = ModuleType(SERVER), object()
    module.SubprocessASGIServer = lambda: SimpleNamespace(server_process=process)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, SERVER, module)
    assert signals.embedded_server() is process


def test_command_with_an_end_of_its_own_is_not_ended_by_the_signal() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", WITH_ITS_OWN_END], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.split("\n")[:2] == ["acted", "goes on"], done.stderr
