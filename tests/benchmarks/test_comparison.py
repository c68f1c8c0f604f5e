"""Figures of resampled lots against the exact metrics of lots in which images are repeated, and intervals of gains."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from musc.metrics import image_metrics, pixel_metrics

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = np.array([1, 0, 2, 1, 3, 1])


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, found as its scripts find it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "batch"))
    return importlib.import_module("comparison")


@pytest.fixture
def masks() -> np.ndarray:
    """Two defective images of six, one with two regions."""
    masks = np.zeros((6, 24, 24), dtype=bool)
    masks[2, 3:6, 3:9] = masks[2, 15:18, 15:16] = masks[4, 10:14, 2:5] = True
    return masks


def noisy(masks: np.ndarray, gain: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=masks.shape).astype(np.float32) + gain * masks


def test_image_figures_are_those_of_repeated_images(comparison: Any, masks: np.ndarray) -> None:
    truth, scores = masks.any(axis=(1, 2)), np.array([0.1, 0.9, 0.4, 0.4, 0.7, 0.5])
    found = comparison.figures_of(comparison.counted_images(truth, scores), WEIGHTS)
    expected = image_metrics(np.repeat(truth, WEIGHTS), np.repeat(scores, WEIGHTS))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("weights", [np.ones(6, dtype=int), WEIGHTS])
def test_pixel_figures_are_those_of_repeated_images(
    comparison: Any, masks: np.ndarray, weights: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BINS", 20_000)  # hardly any two pixels share one
    maps = noisy(masks, 1.0)
    found = comparison.figures_of(comparison.counted_pixels(masks, maps), weights)
    expected = pixel_metrics(np.repeat(masks, weights, axis=0), np.repeat(maps, weights, axis=0))
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-3)
    assert set(found) == {"auroc", "ap", "f1_max", "aupro"}


def test_equal_ways_gain_nothing_and_better_ones_something(comparison: Any, masks: np.ndarray) -> None:
    def judge(gain: float) -> Any:
        def of(chosen: list[int]) -> Any:
            maps = torch.from_numpy(noisy(masks, gain, len(chosen)))[chosen]
            return maps, maps.flatten(1).mean(dim=1)

        return of

    draws = [list(range(6)), [0, 2, 3, 4]]
    ways = {"plain": judge(0.5), "same": judge(0.5), "better": judge(3.0)}
    plain, same, better = comparison.rows_of("lot", draws, masks, ways, 20)
    for name in comparison.FIGURES:
        assert plain[f"{name}_low"] <= plain[name] <= plain[f"{name}_high"]
        assert same[f"{name}_gain"] == same[f"{name}_low"] == same[f"{name}_high"] == 0
    assert better["pixel_aupro_low"] > 0 < better["pixel_ap_low"]
    assert better["pixel_auroc_gain"] == pytest.approx(better["pixel_auroc"] - plain["pixel_auroc"])
    assert "**+" in comparison.text_of(better)
    assert "·" in comparison.text_of(same)
