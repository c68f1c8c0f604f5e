"""Machine code is kept where it can be, and made for one process where it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULE = """
import logging
logging.basicConfig(level="INFO")
from musc.kernels.compiled import compiled

@compiled("float64(float64)")
def doubled(value):
    return 2 * value

print(doubled(21), sum(doubled.stats.cache_hits.values()))
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with a module that compiles a function."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "numerical.py").write_text(MODULE)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def imported(installed: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Import the module in a process of a user with a home: prints the result, and 1 if machine code was loaded."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    places = os.pathsep.join([str(installed), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-B", "-c", "import numerical"],
        cwd=home,
        env={**inherited, "PYTHONPATH": places, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )


def kept(folder: Path) -> list[Path]:
    return list(folder.rglob("*.nb?"))


def block(folder: Path, name: str) -> None:
    """Let nobody, root included, write into a folder of a name: a file has it."""
    (folder / name).write_text("")


def test_compiled_is_kept_beside_the_module_and_loaded(installed: Path, home: Path) -> None:
    assert imported(installed, home).stdout.split() == ["42.0", "0"]
    assert kept(installed)
    assert not kept(home)
    assert imported(installed, home).stdout.split() == ["42.0", "1"]


def test_compiled_is_kept_in_the_home_where_the_installation_is_not_writable(installed: Path, home: Path) -> None:
    block(installed, "__pycache__")
    assert imported(installed, home).stdout.split() == ["42.0", "0"]
    assert kept(home)
    assert imported(installed, home).stdout.split() == ["42.0", "1"]


def test_compiled_for_one_process_where_nothing_is_writable(installed: Path, home: Path) -> None:
    block(installed, "__pycache__")
    block(home, ".cache")
    done = imported(installed, home)
    assert done.stdout.split() == ["42.0", "0"]
    assert "doubled is compiled for this process only" in done.stderr
    assert not kept(home)
