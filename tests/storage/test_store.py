"""The contract of a store, the same for every kind of place."""

import errno
import os
import pickle
from pathlib import Path

import pandas as pd
import pytest

from storage.store import PARTIAL, Store, require_store, require_writable
from storage.tables import write_table


def test_store_reads_what_was_written(store: Store) -> None:
    store.write("folder/file", b"\x00content")
    assert store.read("folder/file") == b"\x00content"


def test_store_keeps_an_empty_file(store: Store) -> None:
    store.write("empty", b"")
    assert (store.read("empty"), store.sizes("")) == (b"", {"empty": 0})


def test_store_replaces_a_file(store: Store) -> None:
    store.write("file", b"a long old content")
    store.write("file", b"new")
    assert store.read("file") == b"new"


def test_store_knows_its_paths_in_any_spelling(store: Store) -> None:
    assert store.inside("runs/caps-0/") == "runs/caps-0"
    assert store.inside(f"{store.location('runs/caps-0')}/") == "runs/caps-0"


def test_store_knows_its_paths_under_any_name_of_its_protocol() -> None:
    assert Store("s3a://bucket/lots").inside("s3a://bucket/lots/runs/caps-0") == "runs/caps-0"
    assert Store("s3a://bucket/lots").inside("s3://bucket/lots/runs/caps-0/") == "runs/caps-0"
    assert Store("memory://lots").inside("memory://lots/runs/caps-0") == "runs/caps-0"


def test_folder_that_may_not_be_entered_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, real = tmp_path / "closed", Path.exists

    def exists(path: Path) -> bool:
        if closed in path.parents:
            raise PermissionError(path)
        return real(path)

    closed.mkdir()
    monkeypatch.setattr(Path, "exists", exists)
    monkeypatch.setattr("os.access", lambda place, mode: str(place) != str(closed))
    with pytest.raises(ValueError, match=f"output must be a folder that can be written, .* where {closed} cannot"):
        require_writable(Store(str(closed / "x" / "out")))


def test_store_knows_its_paths_seen_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("out", str(tmp_path / "out")):
        assert Store(url).inside("out/runs/caps-0") == "runs/caps-0"
    monkeypatch.chdir(tmp_path.parent)
    assert Store(str(tmp_path / "out")).inside(f"{tmp_path.name}/out/runs/caps-0") == "runs/caps-0"


def test_store_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for url in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(ValueError, match=r"output must be a folder, .* where .*/file is a file; give another"):
            require_store(str(url))
    assert require_store(str(tmp_path / "new" / "store")).url == str(tmp_path / "new" / "store")


def test_store_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("os.access", lambda place, mode: asked.append(str(place)))
    with pytest.raises(ValueError, match=f"output must be a folder that can be written, .* where {tmp_path} cannot"):
        require_writable(Store(str(tmp_path / "new" / "store")))
    assert asked == [str(tmp_path)]
    require_writable(Store("memory://store"))


def test_store_names_non_ascii_files(store: Store) -> None:
    store.write("Prüfung/größe 1.txt", b"1")
    assert store.sizes("Prüfung") == {"größe 1.txt": 1}


def test_store_refuses_to_read_what_is_missing(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("missing")


def test_store_refuses_to_read_a_folder(store: Store) -> None:
    store.write("folder/file", b"1")
    with pytest.raises((FileNotFoundError, IsADirectoryError)):
        store.read("folder")


@pytest.mark.parametrize(("path", "there"), [("folder", True), ("folder/file", True), ("fold", False), ("file", False)])
def test_store_exists_for_files_and_folders(store: Store, path: str, there: bool) -> None:
    store.write("folder/file", b"1")
    assert store.exists(path) is there


def test_store_sees_what_another_one_wrote(store: Store) -> None:
    """A listing that was once asked for must not be answered from memory."""
    before = store.sizes("folder")
    Store(store.url).write("folder/file", b"12")
    assert (before, store.sizes("folder"), store.exists("folder/file")) == ({}, {"file": 2}, True)


def test_store_sizes_are_relative_and_sorted(store: Store) -> None:
    for name in ("b", "a/z", "a/deep/er", "ab"):
        store.write(f"folder/{name}", name.encode())
    store.write("folder2/other", b"1")
    assert list(store.sizes("folder").items()) == [("a/deep/er", 9), ("a/z", 3), ("ab", 2), ("b", 1)]


def test_store_names_are_the_paths_of_its_sizes(store: Store) -> None:
    for path in ("b/2", "b/1", "b/deep/3", "a"):
        store.write(path, b"x")
    assert store.names("b") == list(store.sizes("b")) == ["1", "2", "deep/3"]
    assert store.names("") == list(store.sizes(""))
    assert store.names("missing") == []


def test_store_sizes_of_a_missing_folder_are_empty(store: Store) -> None:
    assert store.sizes("missing") == {}


def test_store_copies_a_folder_over_another(store: Store) -> None:
    store.write("from/a/b", b"new")
    store.write("to/a/b", b"old content")
    store.write("to/kept", b"1")
    store.copy("from", "to", ["a/b"])
    assert (store.sizes("to"), store.sizes("from")) == ({"a/b": 3, "kept": 1}, {"a/b": 3})


def test_store_deletes_a_folder_only(store: Store) -> None:
    for path in ("folder/a", "folder/b/c", "folder2/d"):
        store.write(path, b"1")
    store.delete("folder")
    assert (store.exists("folder"), store.sizes("")) == (False, {"folder2/d": 1})


def test_store_deletes_what_is_missing(store: Store) -> None:
    store.delete("missing")
    assert not store.exists("missing")


def test_store_travels_pickled(store: Store) -> None:
    store.write("file", b"1")
    arrived = pickle.loads(pickle.dumps(store))
    assert (arrived, arrived.read("file")) == (store, b"1")


def test_store_zarr_group_is_read_back(store: Store) -> None:
    store.zarr_group("group", mode="w").attrs["lot"] = "tonight"
    assert dict(store.zarr_group("group", mode="r").attrs) == {"lot": "tonight"}


def test_store_zarr_group_lies_in_the_store(store: Store) -> None:
    store.zarr_group("folder/group", mode="w")
    assert list(store.sizes("folder/group")) == ["zarr.json"]


def test_store_zarr_group_must_be_there_to_be_read(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.zarr_group("missing", mode="r")


@pytest.mark.parametrize(("url", "local"), [("somewhere", True), ("file:///somewhere", True), ("memory://a", False)])
def test_store_is_local_only_on_this_machine(url: str, local: bool) -> None:
    assert Store(url).is_local is local


@pytest.mark.parametrize("url", ["{0}", "{0}/", "file://{0}", "{0}/inner/.."])
def test_store_paths_do_not_depend_on_how_the_root_is_spelled(url: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    store = Store(url.format(tmp_path))
    store.write("folder/file", b"1")
    assert store.sizes("folder") == {"file": 1}
    assert (tmp_path / "folder/file").read_bytes() == b"1"


def test_store_accepts_a_relative_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Store("below").write("file", b"1")
    assert (Store("below").sizes(""), (tmp_path / "below/file").exists()) == ({"file": 1}, True)


@pytest.mark.parametrize("folder", ["with [brackets]", "with *", "with space", "größe"])
def test_store_root_may_hold_any_sign(folder: str, store: Store) -> None:
    inner = Store(f"{store.url}/{folder}")
    inner.write("a/file", b"1")
    inner.copy("a", "b", ["file"])
    inner.delete("a")
    inner.zarr_group("c", mode="w")
    assert list(inner.sizes("")) == ["b/file", "c/zarr.json"]


def test_store_deletes_no_folder_that_looks_alike(store: Store) -> None:
    for path in ("lot*/a", "lot1/a", "lot[1]/a"):
        store.write(path, b"1")
    store.delete("lot*")
    store.delete("lot[1]")
    assert store.sizes("") == {"lot1/a": 1}


def test_store_location_is_what_a_person_opens(tmp_path: Path) -> None:
    assert Store(str(tmp_path)).location("a/b") == f"{tmp_path}/a/b"
    assert Store("memory://base").location("a/b") == "memory:///base/a/b"


def test_store_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(tmp_path))
    store.write("file", b"old")

    def full_disk(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:1])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        store.write("file", b"new")
    assert store.sizes("") == {"file": 3}
    assert store.read("file") == b"old"


def test_store_write_is_never_seen_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment of the rename everything is already in the file beside."""
    store = Store(str(tmp_path))
    seen: dict[str, bytes] = {}

    replace = Path.replace

    def watch(aside: Path, target: str) -> Path:
        seen.update({path.name: path.read_bytes() for path in tmp_path.iterdir()})
        return replace(aside, target)

    monkeypatch.setattr(Path, "replace", watch)
    store.write("file", b"content")
    ((name, content),) = seen.items()
    assert (name.startswith(f".file{PARTIAL}"), content) == (True, b"content")


def test_rest_of_a_killed_writer_is_not_read_with_the_folder_of_tables(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(local_store, "scores/0.parquet", pd.DataFrame({"path": ["0.png"]}))
    with monkeypatch.context() as killed:
        killed.setattr(Path, "write_bytes", lambda file, content: os.close(os.open(file, os.O_CREAT)))
        killed.setattr(Path, "replace", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        killed.setattr(Path, "unlink", lambda *given, **named: None)
        with pytest.raises(KeyboardInterrupt):
            local_store.write("scores/1.parquet", b"half")
    folder = Path(local_store.url, "scores")
    assert len(list(folder.iterdir())) == 2
    assert pd.read_parquet(folder)["path"].tolist() == ["0.png"]


def test_output_of_an_empty_path_is_not_the_working_directory() -> None:
    with pytest.raises(ValueError, match=r"output must be a path or URL, got ''; write \. for the working directory"):
        require_store("")


def test_file_for_which_there_is_no_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(aside: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=rf"No space left on device: '{tmp_path}/a/file'"):
        Store(str(tmp_path)).write("a/file", b"content")
