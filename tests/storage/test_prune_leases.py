"""What cleaning asks of leases does not grow with what it deletes."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from storage import prune
from storage.artefacts import writing
from storage.leases import Lease
from storage.prune import delete, find_prunable
from storage.store import Store

LATER = datetime.now(UTC) + timedelta(days=5)


def test_leases_are_listed_anew_only_after_one_was_written(local_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [f"features/{number:032x}" for number in range(30)]
    for path in made:
        with writing(local_store, path) as staging:
            local_store.write(f"{staging.path}/part", b"123")
    for number in range(5):
        Lease(local_store, f"killed-{number}").add(["features/other"])
    os.utime(local_store.full("leases"), (1, 1))  # as if it had lain there for long
    planned = find_prunable(local_store, older_than_days=2, now=LATER)
    listed, kept = [], made[20]
    whole = prune.stored_files

    def counted(store: Store, folder: str = "") -> list[prune.StoredFile]:
        listed.append(folder)
        return whole(store, folder)

    def leased_meanwhile(store: Store, path: str) -> None:
        make_incomplete(store, path)
        if path == made[10]:
            Lease(local_store, "tonight").add([kept])

    monkeypatch.setattr(prune, "stored_files", counted)
    make_incomplete = prune.make_incomplete
    monkeypatch.setattr(prune, "make_incomplete", leased_meanwhile)
    delete(local_store, planned)
    assert [path for path in made if local_store.exists(path)] == [kept]
    assert len(listed) < len(made)
    assert set(listed) == {"leases"}
