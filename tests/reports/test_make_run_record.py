"""What the record of a run says beside its settings."""

from datetime import datetime

import numpy as np
import pytest

from musc.decisions.decide_images import decide_images
from musc.settings import Decisions
from planning.lot_specs import run_spec
from reports import make_run_record as provenance
from reports.decisions import LotResult
from reports.make_run_record import cautions, notes, run_record
from tests.flat import job_of


def test_record_holds_the_moment_in_utc_and_its_local_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "local_now", lambda: datetime.fromisoformat("2026-11-21T03:45:00+05:30"))
    none = np.zeros(2, dtype=np.int64)
    result = LotResult(decide_images(np.array([0.1, 0.2]), Decisions()), float("nan"), none, none, rescored=False)
    made = run_record(run_spec(job_of(), "listing"), [], result)
    assert (made.recorded, made.recorded_day) == ("2026-11-20T22:15:00.000000+00:00", "2026-11-21")


def test_results_of_the_built_in_backbone_carry_a_caution() -> None:
    (caution,) = cautions("texture")
    assert "hardly better than chance" in caution


def test_results_of_published_weights_carry_none() -> None:
    assert cautions("ViT-L-14-336") == []


@pytest.mark.parametrize(
    ("backbone", "device_type", "told"),
    [("efficientnet-lite0", "cuda", True), ("efficientnet-lite0", "cpu", False), ("ViT-L-14-336", "cuda", False)],
)
def test_the_papers_backbone_is_named_where_a_gpu_is_present(backbone: str, device_type: str, told: bool) -> None:
    assert [("--backbone ViT-L-14-336" in note) for note in notes(backbone, device_type)] == [True] * told
