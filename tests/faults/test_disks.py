"""A disk that fills up, and disks that cannot be written: real ones, a megabyte large."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from flows.pipelines.night import NightFailedError
from planning.nights.outcomes import Status
from storage.datasets.synthetic.lot import write_lot
from tests.faults.conftest import METHOD
from tests.flat import score_lots
from tests.killing import Command, complete, results

CAPACITY_BYTES = 2**20
LISTING_BYTES = 2**16
"""More than a lot's listing and a run's lease take."""
PAGE_BYTES = 4096


def on_disk(folder: Path) -> int:
    """What a folder takes on a disk of whole pages, a page for each folder in it."""
    return sum(-(-max(path.stat().st_size, 1) // PAGE_BYTES) * PAGE_BYTES for path in folder.rglob("*"))


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


def test_disk_that_fills_up_in_a_night_keeps_finished_lots_and_names_the_others(
    small_disk: Path, remount: Any, scored: Path, lot: Path, tmp_path: Path, prefect_server: str
) -> None:
    root, store = tmp_path / "lots", small_disk / "store"
    shutil.copytree(lot, root / "cast" / "2026-11-20")
    for number, day in enumerate(("2026-11-21", "2026-11-22"), start=1):
        write_lot(tmp_path / day, good_count=35, defective_count=5, size=64, seed=number)
        shutil.copytree(tmp_path / day / "test", root / "cast" / day)
    options = {name: value for name, value in METHOD.items() if name != "lot"}
    remount(small_disk, f"size={on_disk(scored) + block_bytes(scored) // 2}")
    with pytest.raises(NightFailedError, match=r" of 3 lots failed, the others are finished") as failed:
        score_lots(root, store, **options)
    assert re.search(rf"cast-2026-11-22: .*No space left on device.*; the disk at {small_disk}", str(failed.value))
    first, *_, last = failed.value.night.outcomes
    assert (first.status, last.status) == (Status.SCORED, Status.FAILED)
    before = complete(store, "runs")
    assert first.run in before

    remount(small_disk, "size=64m")
    night = score_lots(root, store, **options)
    assert night.count(Status.FAILED) == 0
    assert len({outcome.run for outcome in night.outcomes}) == 3
    assert all(outcome.page.endswith("report.html") for outcome in night.outcomes), "a page that had no room is made"
    assert before.items() <= complete(store).items()
