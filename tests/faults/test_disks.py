"""A disk that fills up, and disks that cannot be written: real ones, a megabyte large."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.killing import Command, complete, results

CAPACITY_BYTES = 2**20
LISTING_BYTES = 2**16
"""More than a lot's listing and a run's lease take."""
PAGE_BYTES = 4096


def block_bytes(store: Path) -> int:
    """What the largest block of features takes on a disk of whole pages."""
    blocks = [
        [file.stat().st_size for file in block.rglob("*") if file.is_file()] for block in store.glob("features/*")
    ]
    return max(sum(-(-size // PAGE_BYTES) * PAGE_BYTES for size in block) for block in blocks)


def test_full_disk_ends_the_run_and_keeps_what_is_finished(
    small_disk: Path, remount: Any, score: Any, scored: Path, undisturbed: Any
) -> None:
    from tasks.runtime.run_stage import StageFailedError

    (small_disk / "filler").write_bytes(bytes(CAPACITY_BYTES - LISTING_BYTES - block_bytes(scored) * 3 // 2))

    with pytest.raises(StageFailedError, match=r"extract failed for .*No space left on device") as failed:
        score(small_disk / "store")
    room = (
        rf"; the disk at {small_disk}, on which \S+ lies, has \d+\.\d kB of 1.0 MB free; the lot needs about \d.\d MB"
    )
    assert re.search(room, str(failed.value)), failed.value
    before = complete(small_disk / "store", "features")
    assert 1 <= len(before) < 3
    remount(small_disk, "size=64m")
    score(small_disk / "store")
    assert before.items() <= complete(small_disk / "store").items()
    assert results(small_disk / "store") == undisturbed


def test_full_disk_is_told_by_an_inline_command_too(small_disk: Path, command: Command, scored: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(CAPACITY_BYTES - LISTING_BYTES - block_bytes(scored) * 3 // 2))
    process = command.start(small_disk / "store", "--engine", "inline")
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert f"the disk at {small_disk}, on which" in line
    assert re.search(r"; the lot needs about \d.\d MB in all", line)


def test_disk_without_room_for_the_listing_is_told(small_disk: Path, command: Command) -> None:
    (small_disk / "filler").write_bytes(bytes(CAPACITY_BYTES - PAGE_BYTES))
    process = command.start(small_disk / "store", "--engine", "inline")
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert re.search(rf"error: .*No space left on device.*; the disk at {small_disk}, on which", said), said


def test_images_are_only_read(
    small_disk: Path, remount: Any, lot: Path, score: Any, undisturbed: Any, tmp_path: Path
) -> None:
    remount(small_disk, "size=64m")
    shutil.copytree(lot, small_disk / "test")
    remount(small_disk, "ro")
    with pytest.raises(OSError, match="Read-only file system"):
        (small_disk / "test" / "new").touch()
    score(tmp_path / "store", folder=str(small_disk / "test"))
    assert results(tmp_path / "store") == undisturbed


def test_store_that_cannot_be_written_is_said_so_at_once(small_disk: Path, remount: Any, score: Any) -> None:
    remount(small_disk, "ro")
    with pytest.raises(ValueError, match="output must be a folder that can be written"):
        score(small_disk / "store")
