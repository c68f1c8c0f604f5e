"""By what a night knows a finished lot again."""

from dataclasses import replace
from pathlib import Path

import pytest

from planning.lot_job import LotJob
from planning.nights import due_lots
from planning.nights.due_lots import check_lot, remember, result_key
from planning.nights.outcomes import LotOutcome, Status
from storage.artefacts import writing
from storage.images.lot_tree import FoundLot
from storage.results.run_files import RunFiles
from storage.store import Store
from tests.flat import prepare, with_allocation
from tests.storage.listed import picture, put

FOUND = FoundLot("bolt", "lots/bolt/7", "7", None)


@pytest.fixture
def job(tmp_path: Path) -> LotJob:
    return prepare(str(tmp_path), lot="night", backbone="texture", output=str(tmp_path / "out"))


@pytest.mark.parametrize("version", ["FEATURES_VERSION", "PATCH_SCORES_VERSION", "GROUPS_VERSION", "RUN_VERSION"])
def test_mark_differs_with_what_a_release_computes(job: LotJob, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = result_key(FOUND, "files", job)
    monkeypatch.setattr(due_lots, version, 99)
    assert result_key(FOUND, "files", job) != before


def test_mark_differs_with_photographs_lot_and_settings_only(job: LotJob) -> None:
    key = result_key(FOUND, "files", job)
    assert (
        result_key(
            FOUND,
            "files",
            with_allocation(job, memory_bytes=1, device="cpu", block_images=8),
        )
        == key
    )
    others = [
        result_key(FOUND, "other files", job),
        result_key(replace(FOUND, category="nut"), "files", job),
        result_key(FOUND, "files", replace(job, settings=job.settings.changed(exclude_groups=True))),
    ]
    assert len({key, *others}) == 1 + len(others)


@pytest.mark.parametrize(
    ("made", "asked", "lacks"),
    [
        (RunFiles(), RunFiles(maps=("png",)), True),
        (RunFiles(maps=("png", "tiff")), RunFiles(maps=("tiff",)), False),
        (RunFiles(maps=("png",)), RunFiles(export=("csv",)), True),
        (RunFiles(export=("csv",), image_prefix=None), RunFiles(), False),
        (RunFiles(export=("labelstudio",)), RunFiles(export=("labelstudio",), image_prefix="/data/"), True),
        (RunFiles(export=("csv", "labelstudio"), image_prefix="/data/"), RunFiles(export=("csv",)), False),
    ],
)
def test_finished_lot_lacks_the_files_that_no_night_made(
    made: RunFiles, asked: RunFiles, lacks: bool, job: LotJob, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        put(tmp_path, f"bolt/7/{name}.png", picture(0))
    found = replace(FOUND, folder=f"{tmp_path}/bolt/7")
    key = check_lot(found, job).key
    with writing(Store(job.store), "runs/one"):
        pass
    remember(job, key, LotOutcome(found, Status.SCORED, 2, "runs/one"), made)
    assert check_lot(found, job, asked).lacks == lacks


def test_lot_with_too_few_images_says_what_its_other_files_are(job: LotJob, tmp_path: Path) -> None:
    put(tmp_path, "bolt/7/a.png", picture(0))
    put(tmp_path, "bolt/7/empty.png", b"")
    put(tmp_path, "disk/b.png", picture(1))
    (tmp_path / "bolt" / "7" / "more").symlink_to(tmp_path / "disk")
    outcome = check_lot(replace(FOUND, folder=f"{tmp_path}/bolt/7"), job).outcome
    assert outcome is not None
    assert outcome.status == Status.TOO_SMALL
    assert "1 outside (symbolic link leads out of the folder)" in outcome.reason
    assert "1 unreadable (the file is empty)" in outcome.reason
