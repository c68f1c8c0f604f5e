"""SIGKILL of an inline command ends all there is of it: no server, no worker, no helper lives on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from storage.datasets.synthetic.lot import write_lot

PATIENCE_SECONDS = 240
MARK = "MUSC_TEST_MARK"
WORDS = ("--backbone", "texture", "--image-size", "64", "--block-images", "8", "--engine", "inline")


def marked(mark: str) -> list[psutil.Process]:
    """All living processes that inherited a variable, whatever session or group they have moved to."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.02)


@pytest.mark.parametrize("stage", ["features", "patch_scores"])
def test_killed_inline_command_leaves_no_process_behind(stage: str, tmp_path: Path) -> None:
    write_lot(tmp_path / "lot", good_count=30, defective_count=2, size=64)
    mark = uuid4().hex
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "score", str(tmp_path / "lot"), "--output", str(tmp_path / "out"), *WORDS],
        env={**environment, "HOME": str(tmp_path), MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        begun = tmp_path / "out" / stage
        wait_until(lambda: process.poll() is not None or (begun.is_dir() and any(begun.iterdir())), f"{stage} begun")
        assert process.poll() is None, "it ended before it could be killed"
        assert process.pid in [found.pid for found in marked(mark)], "the mark is seen"
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        wait_until(lambda: marked(mark) == [], "end of every process of the command")
    finally:
        for left in marked(mark):
            left.kill()
