"""What the storage says in its log: what is made again, dropped, ignored, left out and taken over."""

import logging

import pytest

from storage.artefacts import MARKER, writing
from storage.attempts import FOLDER as ATTEMPTS
from storage.attempts import read_attempts
from storage.images.lot_fingerprints import KnownResult, read_result, result_path, write_result
from storage.leases import leasing
from storage.prune import find_prunable
from storage.results.features import ArraySpec, writing_block
from storage.store import Store


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def keep_artefact(store: Store, content: bytes) -> None:
    with writing(store, "features/a") as staging:
        store.write(f"{staging.path}/file", content)


def test_damaged_artefact_that_is_made_again_is_logged(local_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    keep_artefact(local_store, b"content")
    assert "made again" not in caplog.text
    local_store.write(f"features/a/{MARKER}", b"{")
    keep_artefact(local_store, b"content")
    assert "features/a is damaged or not complete; it is made again" in caplog.text


def test_staging_folder_that_is_dropped_is_logged(local_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError, match="stopped"), writing(local_store, "features/a"):
        raise RuntimeError("stopped")
    assert "the staging folder features/.partial-a-" in caplog.text
    assert "is dropped" in caplog.text


def test_lease_that_is_taken_over_is_logged(local_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError, match="killed"), leasing(local_store, "lot") as lease:
        lease.add(["features/a"])
        raise RuntimeError("killed")
    assert "taken over" not in caplog.text
    with leasing(local_store, "lot"):
        assert "the lease leases/lot.json of an earlier attempt is taken over" in caplog.text


def test_fingerprint_that_is_ignored_is_logged(local_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    assert read_result(local_store, "none") is None
    assert "ignored" not in caplog.text
    write_result(local_store, "gone", KnownResult("runs/gone", images=7))
    assert read_result(local_store, "gone") is None
    assert "is ignored: its run runs/gone is no longer complete" in caplog.text
    local_store.write(result_path("cut"), b"{")
    assert read_result(local_store, "cut") is None
    assert f"{result_path('cut')} cannot be read and is ignored" in caplog.text


def test_image_without_features_is_logged_with_the_reason(local_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    arrays = {"layer_00": ArraySpec((1, 2), "float16")}
    with writing_block(local_store, "b", image_count=8, arrays=arrays, chunk_images=8, attributes={}) as block:
        block.exclude(3, "unreadable", "it is empty")
    assert "image 3 of a block is left out: unreadable (it is empty)" in caplog.text


def test_files_that_are_no_attempt_or_no_lease_are_logged(local_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    local_store.write(f"{ATTEMPTS}/x.json", b"{}")
    local_store.write("leases/x.json", b"[]")
    assert read_attempts(local_store) == []
    assert "attempts/x.json is no attempt of this release and is left out" in caplog.text
    find_prunable(local_store, older_than_days=0)
    assert "leases/x.json is no lease and protects nothing" in caplog.text
