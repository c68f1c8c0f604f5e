"""Artefacts are complete or not there: killed writers, lost files, other releases, writers at the same time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from storage.artefacts import (
    MARKER,
    digest,
    facts,
    is_complete,
    make_incomplete,
    remembering_complete,
    require_complete,
    writing,
)
from storage.errors import FormatVersionError, IncompleteError
from storage.store import Store

PATH = "stage/key"
FILES = {"a": b"12", "deep/b": b"345"}


def make(store: Store, path: str = PATH, files: Mapping[str, bytes] = FILES, **known: Any) -> None:
    with writing(store, path) as staging:
        for name, content in files.items():
            store.write(f"{staging.path}/{name}", content)
        staging.facts.update(known)


def fail_after_a_file(store: Store, error: BaseException) -> None:
    with writing(store, PATH) as staging:
        store.write(f"{staging.path}/a", b"12")
        raise error


def test_artefact_is_complete_after_writing(store: Store) -> None:
    make(store)
    assert is_complete(store, PATH)
    assert {name: store.read(f"{PATH}/{name}") for name in FILES} == FILES


def test_artefact_leaves_nothing_beside_it(store: Store) -> None:
    make(store)
    assert set(store.sizes("")) == {f"{PATH}/{name}" for name in (*FILES, MARKER)}


def test_artefact_may_lie_at_the_root(store: Store) -> None:
    make(store, "key")
    assert set(store.sizes("")) == {f"key/{name}" for name in (*FILES, MARKER)}


def test_artefact_remembers_facts(store: Store) -> None:
    make(store, images=7)
    assert facts(store, PATH) == {"images": 7}


def test_artefact_is_absent_while_being_written(store: Store) -> None:
    with writing(store, PATH) as staging:
        store.write(f"{staging.path}/a", b"1")
        assert not is_complete(store, PATH)
        assert not store.exists(PATH)


@pytest.mark.parametrize("interruption", [ValueError("wrong"), KeyboardInterrupt()])
def test_artefact_of_an_interrupted_writer_is_absent(store: Store, interruption: BaseException) -> None:
    with pytest.raises(type(interruption)):
        fail_after_a_file(store, interruption)
    assert store.sizes("") == {}


def test_artefact_of_a_killed_writer_is_absent_and_can_be_made(local_store: Store) -> None:
    program = (
        "import os, signal, sys\n"
        "from storage.artefacts import writing\n"
        "from storage.store import Store\n"
        "store = Store(sys.argv[1])\n"
        "with writing(store, 'stage/key') as staging:\n"
        "    store.write(f'{staging.path}/a', b'12')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", program, local_store.url], cwd=root, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not is_complete(local_store, PATH)
    assert not local_store.exists(PATH)
    make(local_store)
    assert is_complete(local_store, PATH)


def test_artefact_that_was_copied_in_part_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer to an object store may end between any two copies."""
    store = Store("memory://killed")

    def copy_one_and_end(self: Store, source: str, target: str, names: Iterable[str]) -> None:
        self.write(f"{target}/a", self.read(f"{source}/a"))
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "copy", copy_one_and_end)
    with pytest.raises(KeyboardInterrupt):
        make(store)
    assert not is_complete(store, PATH)
    with pytest.raises(IncompleteError, match=r"its complete\.json is missing"):
        facts(store, PATH)
    monkeypatch.undo()
    make(store)
    assert is_complete(store, PATH)


def test_artefact_without_any_file_is_complete(store: Store) -> None:
    make(store, files={})
    assert is_complete(store, PATH)


def test_artefact_that_never_was_is_not_complete(store: Store) -> None:
    assert not is_complete(store, PATH)


@pytest.mark.parametrize("lost", [*FILES, MARKER])
def test_artefact_with_a_lost_file_is_not_complete(store: Store, lost: str) -> None:
    make(store)
    store.filesystem.rm_file(store.full(f"{PATH}/{lost}"))
    assert not is_complete(store, PATH)


def test_artefact_with_a_truncated_file_is_not_complete(store: Store) -> None:
    make(store)
    store.write(f"{PATH}/deep/b", b"34")
    assert not is_complete(store, PATH)


@pytest.mark.parametrize("content", [b"", b"{", b"1", b"[]", b"null", b"{}", b"\xff"])
def test_artefact_with_a_damaged_marker_is_not_complete(local_store: Store, content: bytes) -> None:
    make(local_store)
    local_store.write(f"{PATH}/{MARKER}", content)
    assert not is_complete(local_store, PATH)
    with pytest.raises(IncompleteError, match=r"stage/key in .* is not complete: its complete\.json is .*damaged"):
        facts(local_store, PATH)


def test_artefact_that_is_damaged_is_replaced(store: Store) -> None:
    make(store)
    store.write(f"{PATH}/a", b"")
    make(store)
    assert is_complete(store, PATH)
    assert set(store.sizes("")) == {f"{PATH}/{name}" for name in (*FILES, MARKER)}


def test_artefact_of_another_layout_shows_both_versions(store: Store) -> None:
    make(store)
    marker = json.loads(store.read(f"{PATH}/{MARKER}"))
    store.write(f"{PATH}/{MARKER}", json.dumps({**marker, "format_version": 7}).encode())
    with pytest.raises(FormatVersionError, match=r"stage/key in .* must have format version 2, got 7; use another"):
        is_complete(store, PATH)


def test_require_complete_accepts_complete_artefacts(store: Store) -> None:
    make(store, "stage/one")
    make(store, "stage/two")
    require_complete(store, ["stage/one", "stage/two"])
    assert is_complete(store, "stage/one")


def test_require_complete_names_everything_that_is_missing(store: Store) -> None:
    for path in ("stage/one", "stage/two", "stage/three"):
        make(store, path)
    store.filesystem.rm_file(store.full("stage/one/a"))
    store.write("stage/one/deep/b", b"")
    store.filesystem.rm_file(store.full(f"stage/three/{MARKER}"))
    expected = (
        "4 files are missing or cut short: stage/one/a, stage/one/deep/b, "
        "stage/three/complete.json, stage/four/complete.json; run the same command again"
    )
    with pytest.raises(IncompleteError, match=expected):
        require_complete(store, ["stage/one", "stage/two", "stage/three", "stage/four"])


def test_writers_at_the_same_time_leave_one_complete_artefact(store: Store) -> None:
    barrier = Barrier(2, timeout=30)

    def work(writer: int) -> None:
        with writing(store, PATH) as staging:
            for name, content in FILES.items():
                store.write(f"{staging.path}/{name}", content)
            staging.facts["writer"] = writer
            barrier.wait()

    with ThreadPoolExecutor(2) as writers:
        list(writers.map(work, (1, 2)))
    assert is_complete(store, PATH)
    assert facts(store, PATH)["writer"] in (1, 2)
    assert set(store.sizes("")) == {f"{PATH}/{name}" for name in (*FILES, MARKER)}


def test_writer_that_comes_second_keeps_what_the_first_finished(store: Store) -> None:
    with writing(store, PATH) as late:
        make(store, writer="first")
        store.write(f"{late.path}/a", b"12")
        late.facts["writer"] = "second"
    assert facts(store, PATH) == {"writer": "first"}


def test_writer_that_fails_beside_another_does_no_harm(store: Store) -> None:
    """The one that ends with an error must not take the other's files with it."""
    with writing(store, PATH) as staging:
        store.write(f"{staging.path}/b", b"345")
        with pytest.raises(OSError, match="lost"):
            fail_after_a_file(store, OSError("the device was lost"))
    assert set(store.sizes("")) == {f"{PATH}/b", f"{PATH}/{MARKER}"}


def test_writer_that_finds_a_finished_artefact_at_the_rename_keeps_it(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = Store.move

    def move_second(self: Store, source: str, target: str) -> None:
        monkeypatch.setattr(Store, "move", move)
        make(self, writer="first")
        move(self, source, target)

    monkeypatch.setattr(Store, "move", move_second)
    make(local_store, writer="second")
    assert facts(local_store, PATH) == {"writer": "first"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_artefact_that_may_not_be_placed_says_why(local_store: Store) -> None:
    folder = Path(local_store.url)
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        make(local_store)
    folder.chmod(0o700)
    assert local_store.sizes("") == {}


def test_digest_is_32_hexadecimal_digits() -> None:
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e"  # printf '{}' | sha256sum


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}),
        ({"interval": (0.0, 0.3)}, {"interval": [0.0, 0.3]}),
        ({"name": "Prüfung"}, {"name": "Pr\u00fcfung"}),
    ],
    ids=["key_order", "tuple_and_list", "escaped"],
)
def test_digest_of_equal_values_is_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    "other", [{"a": [1, 23]}, {"a": [12, 3]}, {"a": ["1", 2, 3]}, {"a": [3, 2, 1]}, {"b": [1, 2, 3]}, {"a": None}]
)
def test_digest_of_other_values_differs(other: dict[str, Any]) -> None:
    assert digest(other) != digest({"a": [1, 2, 3]})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_digest_refuses_what_is_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"value": value})


def test_what_was_found_complete_is_remembered_while_one_lot_lasts(store: Store) -> None:
    make(store)
    with remembering_complete():
        assert is_complete(store, PATH)
        store.delete(PATH)
        assert is_complete(store, PATH)
        require_complete(store, [PATH])
        assert not is_complete(store, "stage/other")
    assert not is_complete(store, PATH)


def test_what_is_made_incomplete_is_remembered_no_longer(store: Store) -> None:
    make(store)
    with remembering_complete():
        assert is_complete(store, PATH)
        make_incomplete(store, PATH)
        assert not is_complete(store, PATH)
