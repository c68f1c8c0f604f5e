"""What is shown is named as Prefect accepts it, and never costs a result."""

import logging
from pathlib import Path

import pytest

from planning.estimates.operations_and_bytes import project_cost
from planning.lot_job import LotJob
from storage.store import Store
from tasks.monitoring import artifacts
from tasks.monitoring.artifacts import (
    StageArtifact,
    artifact_key,
    only_for_monitoring,
    publish_benchmark,
    publish_plan,
)
from tasks.monitoring.run_tags import run_tags
from tests.flat import prepare


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("summary-Cast Part_7", "summary-cast-part-7"),
        ("benchmark-mvtec_ad-timm:vit.lvd142m", "benchmark-mvtec-ad-timm-vit-lvd142m"),
        ("--x--", "x"),
    ],
)
def test_artifact_key_is_what_prefect_accepts(name: str, key: str) -> None:
    assert artifact_key(name) == key


def test_artifact_keys_of_other_scripts_stay_apart() -> None:
    keys = {artifact_key(f"summary-{name}") for name in ("ボルト", "ナット", "болт", "")}
    assert len(keys) == 4
    assert all(key.isascii() and key == key.lower() for key in keys)


def test_what_cannot_be_shown_is_a_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(artifacts, "get_run_logger", lambda: logging.getLogger("night"))
    with caplog.at_level("WARNING"), only_for_monitoring("summary"):
        raise ConnectionError("the server is away")
    assert caplog.messages == ["summary could not be published: the server is away"]


def test_plan_and_table_that_cannot_be_shown_cost_nothing(
    job: LotJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**given: object) -> None:
        raise ConnectionError("server answered 503")

    monkeypatch.setattr(artifacts, "create_table_artifact", refuse)
    monkeypatch.setattr(artifacts, "get_run_logger", lambda: logging.getLogger("night"))
    with caplog.at_level("WARNING"):
        publish_plan(job, project_cost(job, 9))
        publish_benchmark(Store(str(tmp_path)), "absent.parquet", "btad")
    plan, table = caplog.messages
    assert plan == "plan could not be published: server answered 503"
    assert table.startswith("table of metrics could not be published")


def test_stage_without_a_run_shows_nothing_and_goes_on() -> None:
    shown = StageArtifact("extract", 3, 0, "bolt", "images")
    shown.advance(3)
    assert shown.id is None


def test_progress_is_published_at_the_end_and_seldom_before(monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[float] = []
    monkeypatch.setattr(artifacts, "update_progress_artifact", lambda _, progress: published.append(progress))
    shown = StageArtifact("score", 400, 100, "bolt", "shards")
    shown.id = "an artifact"
    for _ in range(300):
        shown.advance(1)
    assert published[-1] == 100.0
    assert len(published) < 20


@pytest.fixture
def job(tmp_path_factory: pytest.TempPathFactory) -> LotJob:
    folder = tmp_path_factory.mktemp("lot") / "2026-11-21"
    folder.mkdir()
    return prepare(str(folder), category="bolt", backbone="texture", device="cpu")


def test_tags_say_category_lot_backbone_and_device(job: LotJob) -> None:
    assert run_tags(job) == ["category:bolt", "lot:bolt-2026-11-21", "backbone:texture", "device:cpu"]
