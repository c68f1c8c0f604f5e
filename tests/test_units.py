"""The units of systemd: valid, and as closed as `systemd-analyze security` can tell without starting them."""

import re
import shutil
import subprocess
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
