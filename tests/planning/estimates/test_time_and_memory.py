"""The forecast of time and memory adds up what is counted and what short trials measure."""

from dataclasses import replace
from pathlib import Path

import pytest

from musc import backbones
from musc.layers import BackboneSpec, Layer
from musc.plan.pooling import SETUP_OPERATIONS
from planning.estimates import time_and_memory as module
from planning.estimates.operations_and_bytes import project_cost
from planning.estimates.time_and_memory import (
    LIBRARY_BYTES,
    SHARD_SECONDS,
    Extraction,
    extraction_of_one,
    forecast,
    network_cost,
    seconds_beside_products,
)
from storage.images.listing import list_folder
from tests.flat import job_of, prepare
from tests.storage.listed import picture, put

N = 19


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image takes 13 s, products run at 1e11 operations a second."""
    monkeypatch.setattr(module, "image_seconds", lambda *given: 13.0)
    monkeypatch.setattr(module, "scoring_rate", lambda *given: 1e11)


@pytest.mark.usefixtures("measured")
def test_sampled_references_still_cost_reading_every_image() -> None:
    """Products alone were a quarter of the time and less, where each image has few references."""
    few = job_of(settings=job_of().settings.changed(references=2))
    plan = project_cost(few, N)
    assert seconds_beside_products(plan, few) == pytest.approx(2 * (13 * N + SHARD_SECONDS))
    started = seconds_beside_products(
        replace(plan, comparisons=tuple(replace(one, pooled=True) for one in plan.comparisons)), few
    )
    assert started - seconds_beside_products(plan, few) == pytest.approx(SETUP_OPERATIONS / 1e11)


def test_images_take_time_on_the_real_machine() -> None:
    short, long = (module.image_seconds(Layer(0, (30, 30), 64), (1, 3), count) for count in (4, 4000))
    assert 0 < short < long


def test_forecast_adds_up_extraction_and_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.png", picture(0))
    job = job_of()
    plan = replace(project_cost(job, 5 * 4), tiles=4, peak_bytes=10**9)
    monkeypatch.setattr(module, "scoring_seconds", lambda plan: 3.0)
    monkeypatch.setattr(module, "seconds_beside_products", lambda plan, job: 4.0)
    monkeypatch.setattr(module, "extraction_of_one", lambda job, image: Extraction(2.0, 0.5, 0.25, 7))
    told = forecast(plan, job, list_folder(str(tmp_path)) * 5)
    assert (told.scoring_seconds, told.extraction_seconds) == (7.0, 2 + 5 * (0.5 + 4 * 0.25))
    assert told.process_bytes == LIBRARY_BYTES + 10**9 + 7


@pytest.mark.usefixtures("measured")
def test_known_networks_are_counted_and_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = tuple(Layer(number, (37, 37), 1024) for number in (5, 11, 17, 23))
    paper = BackboneSpec("ViT-L-14-336", "openai", "digest", (518, 518), layers, 768)
    operations, weights = network_cost(paper)
    assert operations == pytest.approx(1.0e12, rel=0.05), "as docs/performance.md counts it"
    assert weights == pytest.approx(1.2e9, rel=0.05)
    put(tmp_path, "a.png", picture(0))
    monkeypatch.setattr(backbones, "build", lambda *given: pytest.fail("loaded"))
    told = extraction_of_one(job_of(folder=str(tmp_path), backbone=paper), list_folder(str(tmp_path))[0])
    assert told is not None
    assert told.network == pytest.approx(operations / 1e11)
    lite = prepare(tmp_path, tmp_path / "out", backbone="efficientnet-lite0")
    assert network_cost(lite.backbone)[0] > 0


def test_other_networks_are_tried_on_a_photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.png", picture(0))
    job = prepare(tmp_path, tmp_path / "out", backbone="texture", image_size=64)
    (image,) = list_folder(str(tmp_path))
    monkeypatch.setattr(module, "network_cost", lambda backbone: (0.0, 0))
    told = extraction_of_one(job, image)
    assert told is not None
    assert min(told.photograph, told.network) > 0

    def build(*given: object) -> None:
        raise backbones.WeightsUnavailableError("planted")

    monkeypatch.setattr(backbones, "build", build)
    assert extraction_of_one(job, image) is None
