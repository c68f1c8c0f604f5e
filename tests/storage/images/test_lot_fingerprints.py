"""Fingerprints change whenever a lot does, and marks hold only as long as their run."""

import os
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from storage.artefacts import writing
from storage.images.lot_fingerprints import (
    Fingerprint,
    KnownResult,
    fingerprint,
    read_result,
    result_path,
    write_result,
)
from storage.store import Store


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    folder = tmp_path / "lot"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.png", "b.PNG", "deep/c.jpg"):
        (folder / name).write_bytes(b"content")
    (folder / "notes.txt").write_text("shift 2")
    (folder / "empty.png").write_bytes(b"")
    (folder / ".hidden.png").write_bytes(b"content")
    return folder


def test_fingerprint_counts_images_that_may_be_scored(lot: Path) -> None:
    found = fingerprint(str(lot))
    assert (found.image_count, found.file_count) == (3, 5)
    assert found.digest is not None


def test_fingerprint_of_an_unchanged_lot_is_the_same(lot: Path) -> None:
    before = fingerprint(str(lot))
    (lot / "a.png").read_bytes()
    (lot / ".hidden.png").write_bytes(b"another")
    assert fingerprint(str(lot)) == before


def rewrite_with_old_times(lot: Path) -> None:
    known = (lot / "a.png").stat()
    while (lot / "a.png").stat().st_ctime_ns == known.st_ctime_ns:  # until the file system's clock ticks
        (lot / "a.png").write_bytes(b"CONTENT")
        os.utime(lot / "a.png", ns=(known.st_atime_ns, known.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lot: (lot / "d.png").write_bytes(b"content"), id="added"),
        pytest.param(lambda lot: (lot / "a.png").unlink(), id="removed"),
        pytest.param(lambda lot: (lot / "a.png").rename(lot / "z.png"), id="renamed"),
        pytest.param(lambda lot: (lot / "a.png").write_bytes(b"longer content"), id="another size"),
        pytest.param(lambda lot: os.utime(lot / "a.png", ns=(1, 1)), id="another time"),
        pytest.param(rewrite_with_old_times, id="same size, time set back"),
    ],
)
def test_fingerprint_changes_with_the_lot(lot: Path, change: Callable[[Path], object]) -> None:
    before = fingerprint(str(lot))
    change(lot)
    assert fingerprint(str(lot)).digest != before.digest


def test_fingerprint_of_equal_files_elsewhere_is_another(lot: Path, tmp_path: Path) -> None:
    other = lot.rename(tmp_path / "moved")
    moved = fingerprint(str(other)).digest
    other.rename(lot)
    assert fingerprint(str(lot)).digest != moved


def test_fingerprint_of_a_dangling_link_and_odd_names(lot: Path) -> None:
    (lot / "gone.png").symlink_to(lot / "nothing")
    Path(os.fsdecode(os.fsencode(lot) + b"/\xff.png")).write_bytes(b"content")
    found = fingerprint(str(lot))
    assert (found.image_count, found.file_count) == (4, 7)


def test_fingerprint_sees_through_links(lot: Path, tmp_path: Path) -> None:
    (tmp_path / "target.png").write_bytes(b"content")
    (lot / "link.png").symlink_to(tmp_path / "target.png")
    before = fingerprint(str(lot))
    (tmp_path / "target.png").write_bytes(b"another content")
    assert fingerprint(str(lot)).digest != before.digest


def test_fingerprint_in_an_object_store_changes_with_the_lot() -> None:
    memory = fsspec.filesystem("memory")
    try:
        for name in ("a.png", "b.png", ".c.png"):
            memory.pipe_file(f"/finished/{name}", b"x")
        before = fingerprint("memory://finished")
        assert fingerprint("memory://finished") == before
        memory.pipe_file("/finished/a.png", b"y")
        after = fingerprint("memory://finished")
    finally:
        memory.rm("/finished", recursive=True)
    assert (before.image_count, before.file_count) == (2, 2)
    assert before.digest is not None
    assert after.digest != before.digest


def test_fingerprint_concludes_nothing_where_times_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/silent/a.png", b"x")
    monkeypatch.setattr("storage.images.lot_fingerprints.SIGNS_OF_CHANGE", ("ETag",))
    try:
        assert fingerprint("memory://silent") == Fingerprint(None, 1, 1)
    finally:
        memory.rm("/silent", recursive=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "store"))
    with writing(store, "runs/one") as staging:
        store.write(f"{staging.path}/scores.parquet", b"scores")
    return store


def test_mark_is_read_back(store: Store) -> None:
    assert read_result(store, "key") is None
    write_result(store, "key", KnownResult("runs/one", images=7))
    assert read_result(store, "key") == KnownResult("runs/one", images=7)


def test_mark_without_a_run_says_why(store: Store) -> None:
    write_result(store, "key", KnownResult(None, "too few"))
    assert read_result(store, "key") == KnownResult(None, "too few")


def test_mark_of_a_lost_run_does_not_hold(store: Store, tmp_path: Path) -> None:
    write_result(store, "key", KnownResult("runs/one"))
    (tmp_path / "store/runs/one/scores.parquet").write_bytes(b"cut")
    assert read_result(store, "key") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ran": "runs/one"}'])
def test_damaged_mark_does_not_hold(store: Store, content: bytes) -> None:
    store.write(result_path("key"), content)
    assert read_result(store, "key") is None
