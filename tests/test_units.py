"""The units of systemd: valid, and as closed as `systemd-analyze security` can tell without starting them."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNITS = ("musc-server.service", "musc-worker@.service")
MAX_EXPOSURE = 4.0
NOT_OF_THE_UNIT = "is not executable: No such file or directory"
"""The project is not installed in /opt/musc here."""


def analyze(*words: str) -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60)
    if "--offline" in done.stderr:
        pytest.skip("this systemd-analyze is older than 250 and looks at running units only")
    return done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_unit_is_exposed_little(unit: str) -> None:
    said = analyze("security", "--offline=true", "--no-pager", str(DEPLOY / unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) < MAX_EXPOSURE


@pytest.mark.parametrize("unit", UNITS)
def test_unit_has_no_line_that_systemd_does_not_know(unit: str) -> None:
    lines = analyze("verify", "--man=no", str(DEPLOY / unit)).splitlines()
    name = unit.split("@")[0].removesuffix(".service")
    assert [line for line in lines if name in line and NOT_OF_THE_UNIT not in line] == []


def test_worker_may_write_what_a_run_writes_and_sees_its_gpu() -> None:
    unit = (DEPLOY / "musc-worker@.service").read_text()
    assert "\nReadWritePaths=/opt/musc -/home/musc\n" in unit, "the store, and downloaded weights"
    assert "\nPrivateDevices" not in unit
    assert "\nMemoryDenyWriteExecute" not in unit, "torch compiles"


def test_worker_is_killed_after_a_bounded_time() -> None:
    unit = (DEPLOY / "musc-worker@.service").read_text()
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(patience) <= 120
    assert "\nKillMode=mixed\n" in unit


def stop_command() -> list[str]:
    """What the worker's unit runs before it signals the worker."""
    unit = (DEPLOY / "musc-worker@.service").read_text()
    (line,) = re.findall(r"^ExecStop=(.*)$", unit, re.MULTILINE)
    return shlex.split(line)


@pytest.fixture
def server() -> Iterator[str]:
    """An address that says it is healthy."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/api"
        listening.shutdown()


DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
BUSY = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {DEAF!r}])"


@pytest.mark.parametrize(
    ("program", "is_up", "is_killed"), [(DEAF, False, True), (DEAF, True, False), (BUSY, False, False)]
)
def test_only_an_idle_worker_whose_server_is_gone_is_killed_by_the_unit(
    program: str, is_up: bool, is_killed: bool, server: str
) -> None:
    if shutil.which("curl") is None or shutil.which("pgrep") is None:
        pytest.skip("curl or pgrep is not installed (Debian: apt-get install curl procps)")
    address = server if is_up else "http://127.0.0.1:9/api"
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert worker.stdout
        assert worker.stdout.readline() == b"up\n"
        known = {**os.environ, "MAINPID": str(worker.pid), "PREFECT_API_URL": address, "no_proxy": "127.0.0.1"}
        *shell, waiting = stop_command()
        assert waiting.count("1 2 3 4 5 6 7 8 9 10; do") == waiting.count("sleep 1;") == 1
        quickly = waiting.replace("sleep 1;", "sleep 0.05;")  # ten times as the unit does, without its ten seconds
        subprocess.run([*shell, quickly], env=known, timeout=60, check=True)
        if is_killed:
            assert worker.wait(60) == -signal.SIGKILL
        else:
            assert worker.poll() is None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()
