"""The time of scoring, from a trial: on the device asked for, every kind of layer once, on a CPU without torch."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from musc.layers import Layer
from musc.plan.layer_comparison import LayerComparison
from planning.estimates import timed_trials as trial
from planning.estimates.operations_and_bytes import project_cost
from planning.estimates.timed_trials import scoring_rate, scoring_seconds
from tests.planning.estimates.test_operations_and_bytes import JOB, UNEVEN, C, N


@pytest.mark.parametrize("match_radius", [None, 2])
def test_rate_on_a_cpu_needs_no_torch(match_radius: int | None) -> None:
    code = f"""
import sys
from musc.layers import Layer
from musc.plan.layer_comparison import LayerComparison
from planning.estimates import timed_trials as trial
trial.TRIAL_SECONDS = 0.0
comparison = LayerComparison(Layer(0, (30, 20), {C}), (1, 3), match_radius={match_radius}, device="cpu")
assert trial.scoring_rate(comparison) > 0
sys.exit("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_rate_on_a_gpu_is_that_of_scoring_there(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = []

    def score(features: torch.Tensor, **settings: object) -> torch.Tensor:
        devices.append(features.device)
        return torch.zeros(1)

    monkeypatch.setattr(trial, "device_type", lambda name: "cuda")
    monkeypatch.setattr("musc.backbones.devices.choose_device", lambda name: torch.device("meta"))
    monkeypatch.setattr("musc.mutual.mutual_scores", score)
    monkeypatch.setattr(trial, "TRIAL_SECONDS", 0.0)
    scoring_rate(LayerComparison(Layer(0, (2, 2), C), (1, 3), device="cuda:1"))
    assert set(devices) == {torch.device("meta")}


def test_scoring_seconds_measure_every_kind_of_layer_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def rate(one: LayerComparison) -> float:
        measured.append((one.grid, one.layer.width, one.match_radius, one.device))
        return 7.0 if one.grid == (8, 8) else 11.0

    monkeypatch.setattr(trial, "scoring_rate", rate)
    settings = JOB.settings.changed(match_radius=3)
    job = replace(JOB, settings=settings, backbone=replace(JOB.backbone, layers=UNEVEN))
    plan = project_cost(job, N)
    fine, *coarse = plan.layer_operations
    assert scoring_seconds(plan) == pytest.approx(fine / 7 + sum(coarse) / 11)
    assert measured == [((8, 8), C, 3, "cpu"), ((4, 4), 2 * C, 2, "cpu")]
