"""Cleaning deletes what can be made again and nobody uses, and nothing else."""

import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from storage.artefacts import MARKER, facts, is_complete, writing
from storage.errors import IncompleteError, UnknownReferencesError
from storage.leases import leasing
from storage.prune import LEASE_DAYS, delete, find_prunable, modification_time
from storage.store import PARTIAL, Store

LATER = datetime.now(UTC) + timedelta(days=5)


def key(letter: str) -> str:
    return letter * 32


def make(store: Store, path: str, content: bytes = b"123") -> None:
    with writing(store, path) as staging:
        store.write(f"{staging.path}/part", content)


def make_run(store: Store, name: str, **keys: str | list[str]) -> None:
    with writing(store, f"runs/{name}") as staging:
        store.write(f"{staging.path}/run.json", json.dumps({"keys": keys}).encode())


def make_aggregated(store: Store, path: str, source: str) -> None:
    with writing(store, path) as staging:
        store.write(f"{staging.path}/zarr.json", json.dumps({"attributes": {"features": source}}).encode())


def found(store: Store, *, older_than_days: float = 2.0, now: datetime = LATER) -> list[str]:
    return sorted(prunable.path for prunable in find_prunable(store, older_than_days=older_than_days, now=now))


@pytest.fixture
def used_store(store: Store) -> Store:
    """A finished run with all it was made from."""
    make(store, f"lots/{key('a')}")
    make(store, f"features/{key('b')}")
    make_aggregated(store, f"aggregated/{key('c')}", f"features/{key('b')}")
    make(store, f"patch_scores/{key('d')}")
    make(store, f"metrics/{key('e')}")
    make(store, f"groups/{key('f')}")
    store.write("benchmarks/visa-1/metrics.parquet", b"1")
    used = {"features": [f"features/{key('b')}"], "patch_scores": [f"patch_scores/{key('d')}"]}
    make_run(store, "tonight-1", listing=key("a"), groups=[f"groups/{key('f')}"], **used)
    make_run(store, "older-1", listing=key("a"), **used)  # of a release that sought no groups
    return store


def test_what_a_run_was_made_from_is_kept(used_store: Store) -> None:
    assert found(used_store, older_than_days=0) == []


def test_what_no_run_uses_is_found_and_deleted(used_store: Store) -> None:
    before = used_store.sizes("")
    make(used_store, f"lots/{key('1')}")
    make(used_store, f"features/{key('2')}", b"much more")
    make_aggregated(used_store, f"aggregated/{key('3')}", f"features/{key('2')}")
    make(used_store, f"patch_scores/{key('4')}")
    spare = [f"{folder}/{key(of)}" for folder, of in (("aggregated", "3"), ("features", "2"), ("lots", "1"))]
    planned = find_prunable(used_store, older_than_days=2, now=LATER)
    assert sorted(prunable.path for prunable in planned) == [*spare, f"patch_scores/{key('4')}"]
    sizes = used_store.sizes("")
    expected = sum(size for path, size in sizes.items() if path not in before)
    assert sum(prunable.size_bytes for prunable in planned) == expected
    delete(used_store, planned)
    assert used_store.sizes("") == before


def test_a_plan_deletes_nothing(used_store: Store) -> None:
    make(used_store, f"features/{key('2')}")
    before = used_store.sizes("")
    find_prunable(used_store, older_than_days=0, now=LATER)
    assert used_store.sizes("") == before


@pytest.mark.parametrize(("older_than_days", "expected"), [(4.9, 1), (5.1, 0)])
def test_only_what_is_older_is_found(store: Store, older_than_days: float, expected: int) -> None:
    make(store, f"features/{key('2')}")
    assert len(found(store, older_than_days=older_than_days)) == expected


def test_an_artefact_is_as_old_as_its_newest_file(local_store: Store) -> None:
    path = f"features/{key('2')}"
    make(local_store, path)
    long_ago = (LATER - timedelta(days=30)).timestamp()
    os.utime(Path(local_store.full(f"{path}/part")), (long_ago, long_ago))
    assert found(local_store, older_than_days=10) == []
    assert found(local_store, older_than_days=4.9) == [path]


def test_deleting_that_is_cut_off_leaves_nothing_that_seems_complete(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, remove = f"features/{key('2')}", Store.delete
    make(local_store, path)

    def remove_a_part_and_end(store: Store, folder: str) -> None:
        whole = folder == path
        remove(store, f"{path}/part" if whole else folder)
        if whole:
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "delete", remove_a_part_and_end)
    with pytest.raises(KeyboardInterrupt):
        delete(local_store, find_prunable(local_store, older_than_days=2, now=LATER))
    with pytest.raises(IncompleteError, match=r"its complete\.json is missing"):
        facts(local_store, path)


def test_what_seems_written_in_the_future_is_kept(store: Store) -> None:
    make(store, f"features/{key('2')}")
    assert found(store, older_than_days=0, now=datetime.now(UTC) - timedelta(days=1)) == []


def staging_of(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{PARTIAL}{name}-{uuid4().hex}"


@pytest.mark.parametrize(
    "path",
    [
        f"features/{key('2')}",
        "runs/tonight's [lot] 2-12345678",
        "runs/tonight-12345678/maps-tiff",
        "profiles/bolt-1/20261121-12345678",
    ],
)
def test_staging_of_killed_writers_are_deleted(store: Store, path: str) -> None:
    staging = staging_of(path)
    store.write(f"{staging}/layer_05/c/0/0/0", b"half")
    planned = find_prunable(store, older_than_days=2, now=LATER)
    assert [(prunable.path, prunable.kind, prunable.size_bytes) for prunable in planned] == [(staging, "staging", 4)]
    delete(store, planned)
    assert store.sizes("") == {}


def test_staging_inside_a_run_is_not_a_part_of_it(used_store: Store) -> None:
    staging = staging_of("runs/tonight-1/maps-tiff")
    used_store.write(f"{staging}/000.tiff", b"half")
    assert found(used_store) == [staging]
    delete(used_store, find_prunable(used_store, older_than_days=2, now=LATER))
    assert is_complete(used_store, "runs/tonight-1")


def test_young_staging_may_be_being_written(store: Store) -> None:
    store.write(f"{staging_of('runs/tonight-1/report')}/report.html", b"half")
    hours_later = datetime.now(UTC) + timedelta(hours=20)
    assert found(store, older_than_days=0, now=hours_later) == []


def test_a_run_taken_up_again_while_others_are_deleted_keeps_its_lease(store: Store) -> None:
    path = f"features/{key('2')}"
    make(store, path)
    with pytest.raises(KeyboardInterrupt), leasing(store, "run") as lease:
        lease.add([path])
        raise KeyboardInterrupt
    planned = find_prunable(store, older_than_days=2, now=datetime.now(UTC) + timedelta(days=LEASE_DAYS + 1))
    assert {prunable.path for prunable in planned} == {path, "leases/run.json"}
    time.sleep(1.1 if store.url.startswith("s3:") else 0.01)  # an object store tells times in whole seconds
    lease.add([path])
    delete(store, planned)
    assert is_complete(store, path)
    assert store.exists("leases/run.json")


def test_what_a_run_leases_while_others_are_deleted_is_kept(store: Store) -> None:
    path = f"features/{key('2')}"
    make(store, path)
    planned = find_prunable(store, older_than_days=2, now=LATER)
    assert [prunable.path for prunable in planned] == [path]
    with leasing(store, "run") as lease:
        lease.add([path])
        delete(store, planned)
    assert is_complete(store, path)


@pytest.mark.parametrize(
    "details",
    [
        {"mtime": 1577836800.0},
        {"LastModified": datetime(2020, 1, 1, tzinfo=UTC)},
        {"last_modified": datetime(2020, 1, 1)},
        {"updated": "2020-01-01T00:00:00Z", "created": None},
    ],
)
def test_every_kind_of_file_system_tells_the_age(details: dict[str, Any]) -> None:
    assert modification_time(details) == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_file_without_a_time_is_young() -> None:
    assert datetime.now(UTC) - modification_time({}) < timedelta(minutes=1)


def test_what_a_run_leases_is_kept_until_the_lease_is_old(store: Store) -> None:
    path = f"features/{key('2')}"
    make(store, path)
    store.write(f"{staging_of(path)}/part", b"half")
    with pytest.raises(KeyboardInterrupt), leasing(store, "run") as lease:
        lease.add([path])
        raise KeyboardInterrupt
    assert found(store, older_than_days=0) == []
    much_later = datetime.now(UTC) + timedelta(days=LEASE_DAYS + 1)
    assert len(found(store, now=much_later)) == 3


def test_a_lease_ends_with_its_run(store: Store) -> None:
    with leasing(store, "run") as lease:
        lease.add(["features/a"])
        lease.add(["patch_scores/b"])
        assert json.loads(store.read("leases/run.json")) == {"paths": ["features/a", "patch_scores/b"]}
    assert store.sizes("") == {}


@pytest.mark.parametrize(
    "path",
    [
        "notes.txt",
        "bank/features/part",
        f"banks/{key('2')}/part",
        "features/by hand/part",
        f"features/{key('A')}/part",
        "features/.hidden",
        f"other/{PARTIAL}x-{key('a')}/part",
        f"features/{PARTIAL}mine/part",
        "leases/mine.txt",
        "runs/notes.txt",
    ],
)
def test_what_is_not_known_is_never_touched(store: Store, path: str) -> None:
    store.write(path, b"1")
    assert found(store, older_than_days=0) == []


def test_what_another_release_wrote_is_never_touched(store: Store) -> None:
    path = f"features/{key('2')}"
    make(store, path)
    marker = json.loads(store.read(f"{path}/{MARKER}"))
    store.write(f"{path}/{MARKER}", json.dumps({**marker, "format_version": 99}).encode())
    assert found(store) == []


def test_a_damaged_artefact_no_run_uses_is_found(store: Store) -> None:
    path = f"features/{key('2')}"
    make(store, path)
    store.delete(f"{path}/{MARKER}")
    assert found(store) == [path]
    assert not is_complete(store, path)


@pytest.mark.parametrize("record", [None, b"", b"[]", b'{"keys": {"listing": "a"}}'])
def test_a_run_that_does_not_say_what_it_uses_stops_everything(used_store: Store, record: bytes | None) -> None:
    used_store.write("runs/older-2/scores.parquet", b"1")
    if record is not None:
        used_store.write("runs/older-2/run.json", record)
    with pytest.raises(UnknownReferencesError, match=r"runs/older-2 in .* do not; score them again"):
        find_prunable(used_store, older_than_days=2, now=LATER)


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf"), 1e10])
def test_an_age_out_of_range_is_refused(local_store: Store, days: float) -> None:
    with pytest.raises(ValueError, match=f"older_than must be 0 to 36500 days, got {re.escape(str(days))}"):
        find_prunable(local_store, older_than_days=days)
