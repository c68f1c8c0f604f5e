"""The benchmark of references runs at toy size and its figures are sane."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tables(forks: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    figures = tmp_path_factory.mktemp("benchmark") / "figures.json"
    small = ["--images", "20", "--size", "64", "--lots", "1", "--draws", "1", "--shape", "3,25,8", "--repeats", "1"]
    forks.run(["benchmarks/references.py", *small, "--json", str(figures)], cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    return dict(json.loads(figures.read_text()))


def test_benchmark_sample_full_method_comes_first_and_agrees_with_itself(tables: dict[str, Any]) -> None:
    full, *samples = tables["sample"]
    assert full["references"] == 19
    assert full["spearman_least"] == 1
    assert full["largest_loss_image_auroc"] == 0
    assert [row["references"] for row in samples] == [1, 2, 4, 10]
    assert all(-1 <= row["spearman_least"] <= row["spearman_mean"] < 1 for row in samples)


def test_benchmark_window_over_the_grid_loses_nothing(tables: dict[str, Any]) -> None:
    by_window = {row["match_radius"]: row for row in tables["match_radius"]}
    assert by_window[8]["largest_loss_pixel_auroc"] == 0  # a grid of 8 × 8 patches
    assert by_window[1]["pixel_auroc"] != by_window["none"]["pixel_auroc"]


def test_benchmark_speed_counts_products(tables: dict[str, Any]) -> None:
    assert [row["match_radius"] for row in tables["speed"]] == ["none", 1, 2, 4, 8]
    assert tables["speed"][0]["products"] == 1
