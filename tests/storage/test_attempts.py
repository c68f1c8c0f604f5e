"""Lots without a result are noted, and no longer when they have one."""

from pathlib import Path

import pytest

from storage.attempts import Attempt, AttemptReader, attempting, begin, note_attempt, read_attempts
from storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def test_lot_is_noted_while_it_is_scored_and_not_after(store: Store) -> None:
    with attempting(store, "monday", "cap", "photos"):
        (found,) = read_attempts(store)
        assert (found.lot, found.category, found.reason) == ("monday", "cap", "")
    assert read_attempts(store) == []


def test_failure_is_noted_with_its_reason_until_the_lot_is_scored(store: Store) -> None:
    with pytest.raises(ValueError, match="planted"), attempting(store, "monday", "cap", "photos"):
        raise ValueError("planted")
    assert [one.reason for one in read_attempts(store)] == ["planted"]
    with attempting(store, "monday", "cap", "photos"):
        pass
    assert read_attempts(store) == []


def test_killed_attempt_stays_without_a_reason(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), attempting(store, "monday", "cap", "photos"):
        raise KeyboardInterrupt
    assert [one.reason for one in read_attempts(store)] == [""]


def test_damaged_notes_are_left_out(store: Store) -> None:
    note_attempt(store, begin("monday", "cap", "photos", "too small"))
    store.write("attempts/x.json", b"{")
    assert [one.lot for one in read_attempts(store)] == ["monday"]


def test_note_that_cannot_be_written_costs_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "write", full)
    with attempting(store, "monday", "cap", "photos"):
        pass


@pytest.mark.parametrize("url", ["{}", pytest.param("{}/s3", marks=pytest.mark.slow)])
def test_attempts_are_read_again_only_when_they_are_written_again(
    tmp_path: Path, url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path) if url == "{}" else f"{request.getfixturevalue('s3_bucket')}/{tmp_path.name}"
    store, reads = Store(place), list[str]()
    for day in range(1, 4):
        note_attempt(store, Attempt(f"lot {day}", "cap", "photos", f"2026-11-0{day}T04:05:06+00:00"))
    read = Store.read
    monkeypatch.setattr(Store, "read", lambda store, path: (reads.append(path), read(store, path))[1])
    reader = AttemptReader(store)
    assert [len(reader.read()) for _ in range(3)] == [3, 3, 3]
    assert len(reads) == 3
    note_attempt(store, Attempt("lot 2", "cap", "photos", "2026-11-09T04:05:06+00:00"))
    assert next((one.lot, one.begun[:10]) for one in reader.read()) == ("lot 2", "2026-11-09")
    assert len(reads) == 4
    store.delete(Attempt("lot 1", "cap", "photos", "").path)
    assert sorted(one.lot for one in reader.read()) == ["lot 2", "lot 3"]
    assert len(reads) == 4
