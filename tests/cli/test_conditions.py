"""`musc score` on machines as people have them: without a server, none of these conditions matters."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage.datasets.synthetic.lot import write_lot
from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]
WATCHED = "import sys; from cli.main import main\ntry:\n main()\nfinally:\n print('prefect' in sys.modules)"
NO_ACCOUNT = """import os, pwd
os.environ.pop("HOME", None)
def unknown(uid): raise KeyError(uid)
pwd.getpwuid = unknown
"""
PATIENCE_SECONDS = 120
UNSET = ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_HOME", "NO_PROXY", "no_proxy", "HTTP_PROXY", "ALL_PROXY")


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lots")
    write_lot(folder, good_count=6, defective_count=2, size=64)
    return folder / "test"


def start(
    forks: ForkServer | None, lot: Path, output: Path, variables: Mapping[str, str], cwd: Path, program: str = WATCHED
) -> subprocess.Popen[str]:
    """The command in a process of its own, with these variables only beside the machine's.

    Args:
        forks: None executes a new interpreter, whose libraries too look for the home at their import.
    """
    machine = {name: value for name, value in os.environ.items() if name not in UNSET and "PREFECT" not in name}
    words = ["score", str(lot), "--output", str(output), "--backbone", "texture", "--image-size", "64"]
    options: dict[str, Any] = {"env": {**machine, "PYTHONPATH": str(ROOT), **variables}, "cwd": cwd}
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if forks is None:
        return subprocess.Popen([sys.executable, "-c", program, *words], text=True, **options)
    return forks.start(["-c", program, *words], **options)


def scores(output: Path) -> list[float]:
    (run,) = (output / "runs").iterdir()
    return pd.read_parquet(run / "scores.parquet").sort_values("path")["raw_score"].tolist()


@pytest.fixture(scope="module")
def expected(forks: ForkServer, lot: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Scores made where nothing is out of the ordinary."""
    folder = tmp_path_factory.mktemp("ordinary")
    process = start(forks, lot, folder / "out", {"HOME": str(folder)}, folder)
    said, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert said.splitlines()[-1] == "False", "Prefect must not be loaded"
    return scores(folder / "out")


def database_of_another_release(home: Path) -> None:
    (home / ".prefect").mkdir()
    with sqlite3.connect(home / ".prefect" / "prefect.db") as connection:
        connection.execute("create table alembic_version (version_num varchar(32))")
        connection.execute("insert into alembic_version values ('ffffffffffff')")


CONDITIONS = {
    "an HTTP proxy": {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
    "a SOCKS proxy": {"ALL_PROXY": "socks5://127.0.0.1:9"},
    "a home that cannot be written": {"HOME": "/proc/nowhere"},
    "a Prefect home that cannot be made": {"PREFECT_HOME": "/proc/nowhere"},
    "a database of another release and somebody else's .env in Latin-1": {},
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_scores_are_right_under(
    condition: str, forks: ForkServer, lot: Path, expected: list[float], tmp_path: Path
) -> None:
    database_of_another_release(tmp_path)
    (tmp_path / ".env").write_bytes(b"OWNER=M\xfcller\n")
    variables = {"HOME": str(tmp_path), **CONDITIONS[condition]}
    starter = forks if variables["HOME"] == str(tmp_path) else None
    process = start(starter, lot, tmp_path / "out", variables, tmp_path)
    said, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert said.splitlines()[-1] == "False", "Prefect must not be loaded"
    assert scores(tmp_path / "out") == expected


def test_scores_are_right_without_a_home(lot: Path, expected: list[float], tmp_path: Path) -> None:
    process = start(None, lot, tmp_path / "out", {}, tmp_path, NO_ACCOUNT + WATCHED)
    said, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert said.splitlines()[-1] == "False", "Prefect must not be loaded"
    assert scores(tmp_path / "out") == expected


@pytest.mark.parametrize("condition", ["an HTTP proxy", "a SOCKS proxy"])
def test_server_on_this_machine_is_reached_past(
    condition: str, forks: ForkServer, lot: Path, expected: list[float], prefect_server: str, tmp_path: Path
) -> None:
    variables = {"HOME": str(tmp_path), "PREFECT_API_URL": prefect_server, **CONDITIONS[condition]}
    process = start(forks, lot, tmp_path / "out", variables, tmp_path)
    said, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert said.splitlines()[-1] == "True", "it runs as Prefect tasks"
    assert scores(tmp_path / "out") == expected


def test_three_commands_at_once_on_a_fresh_machine(
    forks: ForkServer, lot: Path, expected: list[float], tmp_path: Path
) -> None:
    started = [start(forks, lot, tmp_path / name, {"HOME": str(tmp_path)}, tmp_path) for name in "abc"]
    for process, name in zip(started, "abc", strict=True):
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
        assert scores(tmp_path / name) == expected


def test_server_that_is_gone_is_one_sentence(forks: ForkServer, lot: Path, tmp_path: Path) -> None:
    (tmp_path / ".prefect").mkdir()
    profile = 'active = "plant"\n[profiles.plant]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\n'
    (tmp_path / ".prefect" / "profiles.toml").write_text(profile)
    process = start(forks, lot, tmp_path / "out", {"HOME": str(tmp_path)}, tmp_path)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "got no answer from http://127.0.0.1:9/api, which the profile 'plant' in" in line
    assert "--engine inline" in line
    assert "Traceback" not in errors
