"""Terminals and locales that are not UTF-8: printing never fails, unusable names are refused first."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from storage.datasets.synthetic.lot import write_lot

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120
SETTINGS = ("PYTHONIOENCODING", "PYTHONUTF8", "PYTHONCOERCECLOCALE", "LC_ALL", "LC_CTYPE", "LANG")
ENCODINGS: dict[str, dict[str, str]] = {
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0"},
    "POSIX locale": {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "code page 1252": {"PYTHONIOENCODING": "cp1252"},
    "Shift JIS": {"PYTHONIOENCODING": "shift_jis"},
}
LATIN_1_NAME = b"M\xfcnze"


def musc(*words: str | bytes, variables: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with no setting of encodings but these."""
    machine = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    program = "from cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**machine, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": "", "HOME": str(cwd), **variables},
        cwd=cwd,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lot of 8 parts, one of whose names no single-byte encoding holds."""
    folder = tmp_path_factory.mktemp("lots")
    write_lot(folder, good_count=6, defective_count=2, size=64)
    good = folder / "test" / "good"
    next(good.iterdir()).rename(good / "ł–件.png")
    return folder


def score(lots: Path, encoding: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    words = ("score", str(lots / "test"), "--output", "out", "--backbone", "texture", "--image-size", "64")
    return musc(*words, variables=ENCODINGS[encoding], cwd=cwd)


@pytest.fixture(scope="module")
def scored(lots: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[bytes]]:
    """The run of a lot that was scored on an ASCII terminal, and what the command said."""
    folder = tmp_path_factory.mktemp("scored")
    done = score(lots, "ASCII", folder)
    (run,) = (folder / "out" / "runs").iterdir()
    return run, done


def test_lot_is_scored_whatever_the_terminal_lacks(scored: tuple[Path, subprocess.CompletedProcess[bytes]]) -> None:
    _, done = scored
    assert (done.returncode, b"error: " in done.stderr) == (0, False), done.stderr
    assert b" of 8 images" in done.stdout
    assert b"Report in" in done.stdout


@pytest.mark.parametrize("encoding", ["C locale", "Shift JIS"])
def test_results_are_printed_whatever_the_terminal_lacks(
    encoding: str, scored: tuple[Path, subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    done = musc("show", str(scored[0]), variables=ENCODINGS[encoding], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" of 8 images" in done.stdout
    assert b"?" in done.stdout


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_help_is_printed_whatever_the_terminal_lacks(encoding: str, tmp_path: Path) -> None:
    done = musc("nightly", "--help", variables=ENCODINGS[encoding], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage" in done.stdout


@pytest.mark.parametrize(
    ("name", "variables", "advice"),
    [
        (LATIN_1_NAME, {"LC_ALL": "C.UTF-8"}, b"rename it"),
        (
            "Münze".encode(),
            {"LC_ALL": "C", "PYTHONUTF8": "0"},
            b"set LC_ALL=C.UTF-8, as the locale's encoding is ascii",
        ),
    ],
)
def test_folder_whose_name_is_not_seen_as_utf_8_is_refused_before_any_work(
    name: bytes, variables: dict[str, str], advice: bytes, lots: Path, tmp_path: Path
) -> None:
    try:
        (tmp_path / os.fsdecode(name)).symlink_to(lots / "test")
    except OSError:
        pytest.skip("this file system holds no names that are not UTF-8")
    done = musc("score", name, "--output", "out", "--backbone", "texture", variables=variables, cwd=tmp_path)
    assert done.returncode == 2
    assert b"folder must have a path of valid UTF-8" in done.stderr
    assert advice in done.stderr
    assert not (tmp_path / "out").exists()


def test_names_of_images_are_blamed_on_the_locale_that_cannot_show_them(lots: Path, tmp_path: Path) -> None:
    done = score(lots, "C locale", tmp_path)
    assert b"1 unreadable" in done.stdout
    (table,) = (tmp_path / "out" / "runs").glob("*/images.parquet")
    assert b"set LC_ALL=C.UTF-8, as the locale's encoding is ascii" in table.read_bytes()
