"""By what a night knows a finished lot again."""

from dataclasses import replace
from pathlib import Path

import pytest

from storage.lot_tree import FoundLot
from tasks import nightly
from tasks.nightly import mark_key
from tasks.prepare import LotJob, prepare

FOUND = FoundLot("bolt", "lots/bolt/7", "7", None)


@pytest.fixture
def job(tmp_path: Path) -> LotJob:
    return prepare(str(tmp_path), lot="night", backbone="texture")


@pytest.mark.parametrize("version", ["FEATURES_VERSION", "PATCH_SCORES_VERSION", "GROUPS_VERSION", "RUN_VERSION"])
def test_mark_differs_with_what_a_release_computes(job: LotJob, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = mark_key(FOUND, "files", job, None)
    monkeypatch.setattr(nightly, version, 99)
    assert mark_key(FOUND, "files", job, None) != before


def test_mark_differs_with_files_lot_settings_and_maps_only(job: LotJob) -> None:
    key = mark_key(FOUND, "files", job, None)
    assert mark_key(FOUND, "files", replace(job, memory_bytes=1, device="cpu", block_images=8), None) == key
    others = [
        mark_key(FOUND, "other files", job, None),
        mark_key(replace(FOUND, category="nut"), "files", job, None),
        mark_key(FOUND, "files", replace(job, rescore_groups=True), None),
        mark_key(FOUND, "files", job, "png"),
        mark_key(FOUND, "files", job, "tiff"),
    ]
    assert len({key, *others}) == 6
