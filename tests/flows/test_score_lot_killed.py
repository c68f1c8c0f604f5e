"""The command as a user runs it, killed in the middle: it goes on from there and ends with the same bytes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.datasets.synthetic.lot import write_lot

METHOD = ("--backbone", "texture", "--image-size", "128", "--degrees", "1", "--block-images", "8", "--lot", "killed")
PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def photographs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real photographs where they are at hand, else as many generated ones."""
    try:
        return Path(request.getfixturevalue("magnetic_tiles")) / "magnetic_tile" / "test"
    except pytest.skip.Exception:
        folder = tmp_path_factory.mktemp("photographs")
        write_lot(folder, good_count=54, defective_count=18)
        return folder / "test"


def start(photographs: Path, output: Path, server: str | None) -> subprocess.Popen[str]:
    """The command with a running server, or with the embedded one it starts itself."""
    address = {"PREFECT_API_URL": server} if server else {}
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "score", str(photographs), "--output", str(output), *METHOD],
        env={**os.environ, **address, "OMP_NUM_THREADS": "1"},
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
    markers = output.glob(
        f"{stage}/[!.]*/complete.json"
    )  # not those of staging folders, which move while they are looked at
    return {marker: marker.stat().st_mtime_ns for marker in markers}


def results(output: Path) -> dict[str, bytes]:
    (run,) = (output / "runs").glob("killed-*")
    files = [run / "scores.parquet", run / "images.parquet", *sorted((run / "patch_scores.zarr").rglob("c/*/*/*"))]
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(photographs: Path, prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("undisturbed")
    finish(start(photographs, output, prefect_server))
    return output


@pytest.mark.parametrize(("stage", "made_before_the_kill", "in_all"), [("features", 2, 9), ("patch_scores", 1, 4)])
def test_killed_run_resumes(
    stage: str,
    made_before_the_kill: int,
    in_all: int,
    photographs: Path,
    undisturbed: Path,
    prefect_server: str,
    tmp_path: Path,
) -> None:
    process = start(photographs, tmp_path, prefect_server)
    kill_when(process, lambda: len(complete(tmp_path, stage)) >= made_before_the_kill)
    before = complete(tmp_path, stage)
    assert made_before_the_kill <= len(before) < in_all
    assert not (tmp_path / "runs").exists()
    log = finish(start(photographs, tmp_path, prefect_server))
    after = complete(tmp_path, stage)
    assert len(after) == in_all
    assert before.items() <= after.items()
    assert "from the store" in log
    assert results(tmp_path) == results(undisturbed)


def test_run_again_recomputes_nothing(photographs: Path, undisturbed: Path, prefect_server: str) -> None:
    before = complete(undisturbed, "*")
    log = finish(start(photographs, undisturbed, prefect_server))
    assert complete(undisturbed, "*") == before
    assert "extract" not in log, "a complete run needs no stage before its last"
    assert "1 of 1 run, 1 from the store" in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_command_and_embedded_server_ends_both_at_once(
    number: signal.Signals, photographs: Path, prefect_home: Path, tmp_path: Path
) -> None:
    process = start(photographs, tmp_path, server=None)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not complete(tmp_path, "patch_scores"):
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "everything finished is kept" in output
    assert "Traceback" not in output
    with pytest.raises(ProcessLookupError):  # once the server has ended too
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.05)
