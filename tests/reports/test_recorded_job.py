"""A past run as a job again: nothing of its record is lost, and other weights are refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from musc.layers import Layer
from planning.lot_job import LotJob
from reports.recorded_job import changed_versions, recorded_job
from reports.run_record import read_record
from storage.artefacts import writing
from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import Run, locate, run_at, write_record
from storage.store import Store
from tests.flat import prepare, record_of


@pytest.fixture
def job(tmp_path: Path) -> LotJob:
    write_lot(tmp_path / "caps", good_count=2, defective_count=0, size=64)
    choices = {"degrees": (1, 3), "interval": (0.1, 0.4), "rscin_windows": (1, 2), "image_size": (128, 64)}
    return prepare(str(tmp_path / "caps"), str(tmp_path / "out"), backbone="texture", review_budget=4, **choices)


def recorded(job: LotJob, **changes: Any) -> Run:
    """A run that holds nothing but its record."""
    store = Store(job.store)
    with writing(store, "runs/caps-0") as staging:
        write_record(store, staging.path, record_of(job, **changes).model_dump(mode="json"))
    return Run(store, "runs/caps-0")


def test_job_read_from_its_record_is_the_same(job: LotJob) -> None:
    assert read_record(recorded(job)).job == job


def test_job_with_layers_of_different_grids_is_read(job: LotJob) -> None:
    layers = (Layer(2, (48, 24), 40), Layer(3, (24, 12), 112))
    uneven = replace(job, backbone=replace(job.backbone, layers=layers))
    again = read_record(recorded(uneven)).job
    assert again == uneven
    assert again.backbone.grid == (48, 24)


def test_recorded_job_goes_to_another_store(job: LotJob) -> None:
    assert recorded_job(recorded(job), "elsewhere") == replace(job, store="elsewhere")


def test_recorded_job_with_other_weights_is_refused(job: LotJob) -> None:
    run = recorded(replace(job, backbone=replace(job.backbone, weights_digest="sha256:past")))
    with pytest.raises(ValueError, match=r"weights must be .*weights_digest was sha256:past and is built-in"):
        recorded_job(run, "elsewhere")


def test_changed_versions_name_both() -> None:
    now = {"torch": "2.9", "zarr": "3.1", "new": "1"}
    assert changed_versions({"torch": "2.8", "zarr": "3.1"}, now) == ("new – → 1", "torch 2.8 → 2.9")


@pytest.mark.parametrize("location", ["store/runs/caps-0/report", "store/metrics/caps-0", "caps", "/"])
def test_run_at_refuses_what_is_no_run_of_a_store(location: str) -> None:
    with pytest.raises(ValueError, match=r"run must be a folder in runs/ of a store, got .*; give the path printed"):
        run_at(location)


def test_run_at_finds_the_store(job: LotJob, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = recorded(job)
    assert run_at(f"{expected.store.location('runs/caps-0')}/") == expected
    monkeypatch.chdir(job.store)
    assert run_at("runs/caps-0") == expected


def test_run_at_takes_the_last_folder_called_runs(tmp_path: Path) -> None:
    (tmp_path / "runs" / "store" / "runs" / "caps-0").mkdir(parents=True)
    assert locate(f"{tmp_path}/runs/store/runs/caps-0", ["runs"]) == (Store(f"{tmp_path}/runs/store"), "runs/caps-0")


@pytest.mark.parametrize("typed", ["", "/runs/caps-9"], ids=["the store itself", "a run that is not there"])
def test_wrong_run_is_told_which_runs_there_are(typed: str, tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / "runs" / f"caps-{number}").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"runs/caps-0, .*runs/caps-4, or one of 2 others; give one of them"):
        run_at(f"{tmp_path}{typed}")
