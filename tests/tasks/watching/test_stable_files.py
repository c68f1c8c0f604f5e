"""Which files of a watched folder are whole: writers that pause, make room first, or leave size and time alike."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.watching import stable_files
from tasks.watching.stable_files import (
    COARSE_SECONDS,
    STABLE_SECONDS,
    TAIL_BYTES,
    WRITING_SECONDS,
    PendingFiles,
    file_state,
)

FINE_NS = 1_795_000_000_123_456_789
COARSE_NS = 1_795_000_000_000_000_000


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stable_files, "time", clock)
    return clock


def written(place: Path, content: bytes = b"x" * 9000, modified_ns: int = FINE_NS) -> Path:
    place.write_bytes(content)
    os.utime(place, ns=(modified_ns, modified_ns))
    return place


def first_stable(pending: PendingFiles, clock: Clock, step: float = 0.1) -> float:
    """Seconds until a file counts as whole, to a tenth."""
    started = clock.now
    while not list(pending.stable()):
        clock.now += step
        assert clock.now - started < 60
    return round(clock.now - started, 1)


@pytest.mark.parametrize(
    ("content", "modified_ns", "told", "seconds"),
    [
        (b"x" * 9000, FINE_NS, {}, STABLE_SECONDS),
        (b"", FINE_NS, {}, STABLE_SECONDS),  # an empty file is waited for as any other that cannot be decoded
        (b"x" * 9000, COARSE_NS, {}, COARSE_SECONDS),
        (b"x" * 9000, FINE_NS, {"written": True}, WRITING_SECONDS),
        (b"x" * 9000, FINE_NS, {"closed": True}, STABLE_SECONDS),
        (b"x" * 9000 + bytes(TAIL_BYTES), FINE_NS, {}, WRITING_SECONDS),
        (b"x" * 9000 + bytes(TAIL_BYTES), FINE_NS, {"closed": True}, STABLE_SECONDS),
        (b"x" * 9000 + bytes(TAIL_BYTES - 1), FINE_NS, {}, STABLE_SECONDS),
    ],
    ids=["fine time", "empty", "whole seconds", "not closed", "closed", "zeros", "zeros closed", "fewer zeros"],
)
def test_pending_file_is_stable_after(
    tmp_path: Path, clock: Clock, content: bytes, modified_ns: int, told: dict[str, bool], seconds: float
) -> None:
    written(tmp_path / "0.bmp", content, modified_ns)
    pending = PendingFiles(tmp_path)
    pending.add("0.bmp", **told)
    assert first_stable(pending, clock) == pytest.approx(seconds, abs=0.11)


def test_pending_file_starts_anew_when_it_changes_or_a_write_is_told(tmp_path: Path, clock: Clock) -> None:
    place = written(tmp_path / "0.bmp")
    pending = PendingFiles(tmp_path)
    pending.add("0.bmp")
    clock.now += 0.2
    assert not list(pending.stable())
    written(place, b"y" * 9001)
    assert not list(pending.stable())  # seen as changed now
    clock.now += 0.2
    pending.add("0.bmp", written=True)  # of the same size and time
    pending.add("0.bmp", closed=True)
    clock.now += 0.2
    assert not list(pending.stable())
    clock.now += 0.2
    assert [path for path, *_ in pending.stable()] == ["0.bmp"]


def test_pending_file_that_is_gone_is_waited_for_no_longer(tmp_path: Path, clock: Clock) -> None:
    place = written(tmp_path / "0.bmp")
    pending = PendingFiles(tmp_path)
    pending.add("0.bmp", written=True)
    place.unlink()
    assert not list(pending.stable())
    assert (pending.seen, pending.writing) == ({}, set())


def test_pending_file_is_not_read_again_at_once(tmp_path: Path, clock: Clock) -> None:
    written(tmp_path / "0.bmp")
    pending = PendingFiles(tmp_path)
    pending.add("0.bmp")
    clock.now += 1
    assert list(pending.stable())
    pending.postpone("0.bmp")
    assert not list(pending.stable())
    clock.now += stable_files.RETRY_SECONDS + 0.01
    assert list(pending.stable())


def rewrite(place: Path) -> None:
    written(place, b"y" * 9000)


def replace(place: Path) -> None:
    written(place.with_suffix(".new"), b"y" * 9000).replace(place)


@pytest.mark.parametrize("change", [rewrite, replace], ids=["written in place", "replaced by rename"])
def test_file_state_tells_other_content_of_the_same_size_and_time(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    place = written(tmp_path / "0.bmp")
    before = file_state(place)
    time.sleep(0.02)  # longer than the file system's clock ticks
    change(place)
    after = file_state(place)
    assert before
    assert after
    assert (before.size, before.modified_ns) == (after.size, after.modified_ns)
    assert before != after
