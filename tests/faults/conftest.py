"""One small lot, scored once without disturbance, and ways to score it again while things go wrong."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.datasets.synthetic.lot import write_lot
from tests.forking import ForkServer
from tests.killing import Command, results

METHOD: dict[str, Any] = {
    "backbone": "texture",
    "image_size": 64,
    "layers": (0, 1),
    "degrees": (1,),
    "block_images": 16,
    "lot": "night",
    "engine": "threads",
}
"""Forty images in three blocks of two chunks or one, two shards."""
WORDS = ("--backbone", "texture", "--image-size", "64", "--layers", "0,1", "--degrees", "1", "--block-images", "16")

Score = Callable[..., str]


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


@pytest.fixture(scope="session")
def command(lot: Path, prefect_server: str, prefect_forks: ForkServer) -> Command:
    """`musc score` of the lot as a process of its own."""
    return Command(("score", str(lot), "--lot", "night", *WORDS), prefect_server, prefect_forks)


@pytest.fixture(scope="session")
def scored(score: Score, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the lot was scored undisturbed; not to be changed."""
    return Path(score(tmp_path_factory.mktemp("scored") / "store"))


@pytest.fixture(scope="session")
def undisturbed(scored: Path) -> dict[str, bytes]:
    return results(scored)


@pytest.fixture
def store(scored: Path, tmp_path: Path) -> Path:
    """A store of the test's own in which the lot was scored, times of writing kept."""
    return Path(shutil.copytree(scored, tmp_path / "store"))


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
