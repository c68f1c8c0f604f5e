"""Folders of added files are listed again only where something may have been added."""

import os
from pathlib import Path

import pytest

from storage.listed_folders import SEEN_SECONDS, SETTLED_SECONDS, ListedFolders
from storage.store import Store

OLD = 1_700_000_000


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = OLD + 1000.0

    def __call__(self) -> float:
        return self.now


def written(root: Path, name: str, changed: float = OLD) -> None:
    """A file, its folder changed at a time."""
    path = root / "said" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path.parent, (changed, changed))


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Folders that were listed, in turn."""
    found: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (found.append(Path(path).name), scandir(path))[1])
    return found


def test_only_a_changed_folder_is_listed_again(tmp_path: Path, scanned: list[str]) -> None:
    for name in ("a/1", "b/1", "c/1"):
        written(tmp_path, name)
    (tmp_path / "said" / "stray.json").write_text("x")
    folders = ListedFolders(Store(str(tmp_path)), "said", Clock())
    assert folders.every() == {"a": ["1"], "b": ["1"], "c": ["1"]}
    scanned.clear()
    written(tmp_path, "b/0", OLD + 1)
    assert folders.every() == {"a": ["1"], "b": ["0", "1"], "c": ["1"]}
    assert folders.of("said/a") == ["1"]
    assert scanned == ["said", "b"]


def test_what_is_added_in_the_same_moment_is_not_missed(tmp_path: Path) -> None:
    clock = Clock()
    folders = ListedFolders(Store(str(tmp_path)), "said", clock)
    written(tmp_path, "a/1", clock.now - SETTLED_SECONDS / 2)
    assert folders.every() == {"a": ["1"]}
    written(tmp_path, "a/2", clock.now - SETTLED_SECONDS / 2)
    assert folders.every() == {"a": ["1", "2"]}


def test_missing_folders_hold_nothing(tmp_path: Path) -> None:
    folders = ListedFolders(Store(str(tmp_path)), "said", Clock())
    assert (folders.every(), folders.of("said/a")) == ({}, [])
    (tmp_path / "said" / "empty").mkdir(parents=True)
    assert folders.every() == {}


def test_object_store_is_listed_whole_but_not_soon_again_for_who_writes(tmp_path: Path) -> None:
    store, clock = Store(f"memory://{tmp_path.name}"), Clock()
    for name in ("said/a/1", "said/b/1", "said/stray.json", "said/a/deeper/1"):
        store.write(name, b"x")
    folders = ListedFolders(store, "said", clock)
    assert folders.every(fresh="a") == {"a": ["1"], "b": ["1"]}
    store.write("said/b/2", b"x")
    assert folders.of("said/b") == ["1", "2"]
    assert folders.every(fresh="a") == {"a": ["1"], "b": ["1"]}
    assert folders.every(fresh="b") == {"a": ["1"], "b": ["1", "2"]}
    clock.now += SEEN_SECONDS
    assert folders.every(fresh="a") == {"a": ["1"], "b": ["1", "2"]}
    store.write("said/c/1", b"x")
    assert set(folders.every()) == {"a", "b", "c"}
