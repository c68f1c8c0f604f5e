"""One small lot, scored once without disturbance, and ways to score it again while things go wrong."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import IMAGES, SCORES, Run
from storage.store import Store

METHOD: dict[str, Any] = {
    "backbone": "texture",
    "image_size": 64,
    "layers": (0, 1),
    "degrees": (1,),
    "block_images": 16,
    "lot": "night",
}
"""Forty images in three blocks of two chunks or one, two shards."""
WORDS = ("--backbone", "texture", "--image-size", "64", "--layers", "0,1", "--degrees", "1", "--block-images", "16")
PATIENCE_SECONDS = 240

Score = Callable[..., str]
Results = dict[str, bytes]

CHILD = """
import os, signal, sys
from importlib import import_module

module, name, deadly_call = sys.argv[1], sys.argv[2], int(sys.argv[3])
place = import_module(module)
real, calls = getattr(place, name), []

def dying(*given, **named):
    result = real(*given, **named)
    calls.append(name)
    if len(calls) == deadly_call:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(place, name, dying)
sys.argv = ["musc", *sys.argv[4:]]
import_module("cli.main").main()
"""
"""The command in a process that kills itself when a function has been called for so many times."""


@pytest.fixture(scope="session")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "cast"
    write_lot(folder, good_count=35, defective_count=5, size=64)
    return folder / "test"


@pytest.fixture(scope="session")
def score(lot: Path, prefect_server: str) -> Score:
    """Score the lot in this process; returns the store. Parameters of the flow may be changed."""

    def run(output: Path | str, **parameters: Any) -> str:
        from tests.flat import score_lot

        score_lot(**{"folder": str(lot), "output": str(output), **METHOD, **parameters})
        return str(output)

    return run


@dataclass(frozen=True)
class Command:
    """`musc score` of the lot as a process of its own."""

    lot: Path
    server: str | None

    def start(self, output: Path | str, *words: str, program: tuple[str, ...] = ("-m", "cli")) -> subprocess.Popen[str]:
        address = {"PREFECT_API_URL": self.server} if self.server else {}
        given = ["score", str(self.lot), "--output", str(output), "--lot", "night", *WORDS, *words]
        return subprocess.Popen(
            [sys.executable, *program, *given],
            env={**os.environ, **address, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> str:
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, said
        return said

    def kill_at(self, function: str, call: int, output: Path, *words: str) -> None:
        """Run until SIGKILL strikes right after a call of `module.function`."""
        module, _, name = function.rpartition(".")
        process = self.start(output, *words, program=("-c", CHILD, module, name, str(call)))
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == -9, said


@pytest.fixture(scope="session")
def command(lot: Path, prefect_server: str) -> Command:
    return Command(lot, prefect_server)


def read_results(output: Path | str) -> Results:
    """The bytes of the only run's tables, and of its patch scores."""
    store = Store(str(output))
    (run,) = {name.split("/")[0] for name in store.sizes("runs") if ".partial-" not in name}
    found = {name: store.read(f"runs/{run}/{name}") for name in (SCORES, IMAGES)}
    return {"run": run.encode(), **found, "patch_scores": Run(store, f"runs/{run}").patch_scores().tobytes()}


@pytest.fixture(scope="session")
def results() -> Callable[[Path | str], Results]:
    """Reads the results that a store holds."""
    return read_results


@pytest.fixture(scope="session")
def scored(score: Score, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the lot was scored undisturbed; not to be changed."""
    return Path(score(tmp_path_factory.mktemp("scored") / "store"))


@pytest.fixture(scope="session")
def undisturbed(scored: Path) -> Results:
    return read_results(scored)


@pytest.fixture
def store(scored: Path, tmp_path: Path) -> Path:
    """A store of the test's own in which the lot was scored, times of writing kept."""
    return Path(shutil.copytree(scored, tmp_path / "store"))


@pytest.fixture(scope="session")
def complete() -> Callable[..., dict[str, int]]:
    """Lists the artefacts of a store that have a marker, with the time it was written."""

    def markers(output: Path, folder: str = "*") -> dict[str, int]:
        found = sorted(output.glob(f"{folder}/[!.]*/complete.json"))
        return {str(marker.parent.relative_to(output)): marker.stat().st_mtime_ns for marker in found}

    return markers


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def remount() -> Callable[[Path, str], None]:
    """Mounts what `small_disk` mounted with other options, such as `ro` or `size=64m`."""

    def again(disk: Path, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)

    return again
