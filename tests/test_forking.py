"""Forked commands are processes as any other: identity, surroundings, end and signals; a dead server is an error."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.forking import ForkServer

SAY = """
import json, os, sys
print(json.dumps([os.getpid(), os.getppid(), os.getsid(0), os.getcwd(), sys.argv, os.environ.get("GIVEN"), __name__]))
print("torch" in sys.modules, "prefect" in sys.modules, "cli" in sys.modules, input())
sys.exit(7)
"""
PATIENCE_SECONDS = 60


def test_forked_command_has_its_own_identity_and_surroundings(forks: ForkServer, tmp_path: Path) -> None:
    options = {"cwd": tmp_path, "env": {"GIVEN": "yes"}, "start_new_session": True}
    process = forks.start(["-c", SAY, "word"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
    said, _ = process.communicate("told\n", timeout=PATIENCE_SECONDS)
    own = [process.pid, os.getpid(), process.pid, str(tmp_path), ["-c", "word"], "yes", "__main__"]
    assert said.splitlines() == [str(own).replace("'", '"'), "True False False told"]
    assert process.returncode == 7


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_forked_command_is_ended_by_a_signal(forks: ForkServer, number: signal.Signals) -> None:
    program = "import time; print('begun', flush=True); time.sleep(60)"
    process = forks.start(["-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == -number


def test_command_cannot_be_forked_by_a_server_that_is_gone() -> None:
    gone = subprocess.Popen(["false"])
    gone.wait()
    asking, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    answering.close()
    with asking, pytest.raises(RuntimeError, match="must answer within 60 s; it ended with 1"):
        ForkServer(gone, asking).start(["-c", ""])
