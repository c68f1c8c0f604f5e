"""`musc benchmark` as a user runs it, killed half-way: it goes on from there and ends with the same table."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.datasets.synthetic.lot import write_lot

METHOD = ("--backbone", "texture", "--degrees", "1", "--layers", "0,1", "--block-images", "8", "--image-size", "128")
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def photographs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two categories of real photographs where they are at hand, else of as many generated ones."""
    root = tmp_path_factory.mktemp("photographs")
    try:
        tiles = Path(request.getfixturevalue("magnetic_tiles")) / "magnetic_tile"
        shutil.copytree(tiles, root / "tiles")
        for part in ("test/good", "test/crack", "ground_truth/crack"):
            shutil.copytree(tiles / part, root / "cracks" / part)
    except pytest.skip.Exception:
        write_lot(root / "tiles", good_count=54, defective_count=18, size=128)
        write_lot(root / "cracks", part="brushed", good_count=54, defective_count=6, size=128)
    return root


def start(photographs: Path, output: Path, server: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "benchmark", "folder", str(photographs), "--output", str(output), *METHOD],
        env={**os.environ, "PREFECT_API_URL": server, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, output
    return output


def kill_when(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert process.poll() is None, f"ended before it could be killed:\n{process.stdout and process.stdout.read()}"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def complete(output: Path, stage: str) -> dict[Path, int]:
    return {marker: marker.stat().st_mtime_ns for marker in output.glob(f"{stage}/[!.]*/complete.json")}


def metrics(output: Path) -> bytes:
    (table,) = output.glob("benchmarks/*/metrics.parquet")
    return table.read_bytes()


def test_killed_benchmark_resumes(photographs: Path, prefect_server: str, tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    beside = start(photographs, undisturbed, prefect_server)
    process = start(photographs, killed, prefect_server)
    # The first category, of 7 or 8 blocks, is measured; the second one, of 9, is being extracted.
    kill_when(process, lambda: len(complete(killed, "features")) >= 10)
    finish(beside)
    before = complete(killed, "*")
    assert len(complete(killed, "metrics")) == len(complete(killed, "runs")) == 1
    assert len(complete(killed, "features")) < len(complete(undisturbed, "features"))
    assert not (killed / "benchmarks").exists()
    log = finish(start(photographs, killed, prefect_server))
    after = complete(killed, "*")
    assert len(after) == len(complete(undisturbed, "*"))
    assert before.items() <= after.items()
    assert "from the store" in log
    assert metrics(killed) == metrics(undisturbed)
