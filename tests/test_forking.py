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


TELL = """
import json, os, subprocess, sys
print("torch" in sys.modules, "prefect" in sys.modules)
from prefect.settings import PREFECT_API_URL
print(PREFECT_API_URL.value(), os.getpid(), os.getppid(), os.getpgrp(), flush=True)
if len(sys.argv) > 1:
    program = [sys.executable, "-c", os.environ["TELL"]]
    variables = {**os.environ, "PREFECT_API_URL": sys.argv[1]}
    said = subprocess.run(program, env=variables, stdout=subprocess.PIPE, text=True)
    print(said.stdout, end="")
    print(os.getpid(), said.returncode)
else:
    sys.exit(7)
"""
"""Tells of itself and, given an address for it, of a program that it starts."""


def test_command_of_prefect_and_what_it_starts_are_forks_with_settings_of_their_own(prefect_forks: ForkServer) -> None:
    first, second = "http://127.0.0.1:7/api", "http://127.0.0.1:8/api"
    variables = {**os.environ, "PREFECT_API_URL": first, "TELL": TELL}
    said = prefect_forks.run(["-c", TELL, second], env=variables, start_new_session=True)
    lines = [line.split() for line in said.splitlines()]
    assert lines[0] == lines[2] == ["True", "True"], "loaded before they begin"
    assert (lines[1][0], lines[3][0]) == (first, second)
    assert lines[1][2] == str(os.getpid())
    assert lines[1][3] == lines[3][3] != str(os.getpgrp())
    assert lines[3][2] == lines[4][0] == lines[1][1], "its child"
    assert lines[4][1] == "7"


LATE = """
import atexit, sys, threading, time
atexit.register(print, "at the end")
threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
{}
"""


@pytest.mark.parametrize(
    ("last", "code", "errors"),
    [("", 0, ""), ("sys.exit('refused')", 1, "refused\n"), ("raise ValueError(3)", 1, "ValueError: 3\n")],
)
def test_forked_command_ends_as_an_interpreter(forks: ForkServer, last: str, code: int, errors: str) -> None:
    process = forks.start(["-c", LATE.format(last)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, wrong = process.communicate(timeout=PATIENCE_SECONDS)
    assert said == "thread\nat the end\n"
    assert wrong.endswith(errors)
    assert bool(wrong) == bool(errors)
    assert process.returncode == code


def test_command_of_prefect_reads_the_profile_of_its_home(prefect_forks: ForkServer, tmp_path: Path) -> None:
    (tmp_path / ".prefect").mkdir()
    profile = 'active = "plant"\n[profiles.plant]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\n'
    (tmp_path / ".prefect" / "profiles.toml").write_text(profile)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    program = "import prefect.settings as known; print(known.PREFECT_API_URL.value(), known.PREFECT_HOME.value())"
    said = prefect_forks.run(["-c", program], env={**variables, "HOME": str(tmp_path)}, cwd=tmp_path)
    assert said.split() == ["http://127.0.0.1:9/api", str(tmp_path / ".prefect")]
