"""What a stage says in its log: what is reused, repeated, and run again alone."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from storage.artefacts import writing
from storage.store import Store
from tasks.runtime import lost_workers, retries
from tasks.runtime.run_stage import run_stage
from tasks.runtime.runner import InlineRunner


@dataclass
class Spec:
    """One file as an artefact."""

    store: str
    label: str
    category: str = "cap"
    size: int = 1
    unit: str = "files"
    failures: list[Exception] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.label

    @property
    def path(self) -> str:
        return f"features/{self.label}"


def keep(spec: Spec) -> str:
    """Store a spec's artefact, after failing as it says."""
    if spec.failures:
        raise spec.failures.pop()
    with writing(Store(spec.store), spec.path) as staging:
        Store(spec.store).write(f"{staging.path}/file", b"content")
    return spec.label


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(retries.time, "sleep", lambda seconds: None)
    caplog.set_level(logging.DEBUG)


def test_reused_artefacts_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    specs = [Spec(str(tmp_path), label) for label in ("a", "b")]
    keep(specs[0])
    assert run_stage("extract", keep, specs, InlineRunner()) == ["a", "b"]
    assert "extract a: features/a is reused" in caplog.text
    assert "features/b is reused" not in caplog.text
    assert "extract: 1 of 2 artefacts are in the store already" in caplog.text


def test_retry_is_logged_with_its_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = Spec(str(tmp_path), "a", failures=[ConnectionResetError("the share is gone")])
    assert run_stage("extract", keep, [spec], InlineRunner()) == ["a"]
    (said,) = [record for record in caplog.records if record.name == "tasks.runtime.retries"]
    assert said.levelname == "WARNING"
    assert "attempt 1 failed" in said.message
    assert "the share is gone" in said.message


def test_spec_lost_with_a_worker_is_logged_and_run_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lost = type(lost_workers.LOST, (Exception,), {})
    spec = Spec(str(tmp_path), "a", failures=[lost("died")])
    assert run_stage("extract", keep, [spec], InlineRunner()) == ["a"]
    assert "extract a was lost with a Dask worker; it is run again alone" in caplog.text
