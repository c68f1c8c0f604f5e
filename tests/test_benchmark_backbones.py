"""The comparison of backbones runs at toy size, an untrained transformer included."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOY = ROOT / "tests" / "data" / "ViT-toy.json"
FIGURES = ("image_auroc", "image_auroc_raw", "pixel_auroc", "pixel_aupro")


def test_benchmark_backbones_runs(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--parts", "brushed", "--images", "4", "3", "--size", "64", "--image-size", "64", "--json", str(figures)]
    command = [sys.executable, "benchmarks/backbones.py", "--backbones", "texture", "synthetic-conv", f"random {TOY}"]
    done = subprocess.run(
        command + options,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    rows = json.loads(figures.read_text())
    assert [row["backbone"] for row in rows] == ["texture", "synthetic-conv", f"random {TOY}"]
    assert all(row["lot"] == "brushed" and row["pixels"] == 64 and row["images_per_second"] > 0 for row in rows)
    assert all(0 <= row[figure] <= 1 for row in rows for figure in FIGURES)
    assert all(sum(kind["share_of_pixels"] for kind in row["by_defect"].values()) == pytest.approx(1) for row in rows)
    for row, line in zip(rows, done.stdout.splitlines()[2:], strict=True):
        shown = [float(cell.strip(" %")) / 100 for cell in line.split("|")[4:8]]
        assert shown == pytest.approx([row[figure] for figure in FIGURES], abs=5e-4)
