"""The benchmark of extraction runs at toy size."""

import json
import os
from pathlib import Path

from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "tests" / "data" / "ViT-toy.json"


def test_benchmark_extract_runs(forks: ForkServer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--images", "16", "--picture-size", "64", "--image-size", "32", "--rounds", "1", "--device", "cpu"]
    command = ["benchmarks/run/extract.py", "--model", str(TOY), *options, "--json", str(figures)]
    forks.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    (row,) = json.loads(figures.read_text())
    assert row["model"] == "ViT-toy"
    assert row["precision"] == "float32"
    assert row["fraction"] == row["images_per_second"] / row["model_images_per_second"] > 0
