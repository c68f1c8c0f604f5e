"""The benchmark of extraction runs at toy size."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 4, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 24, "heads": 1, "layers": 1},
}


def test_benchmark_extract_runs(tmp_path: Path) -> None:
    model, figures = tmp_path / "ViT-toy.json", tmp_path / "figures.json"
    model.write_text(json.dumps(TOY))
    options = ["--images", "16", "--picture-size", "64", "--image-size", "32", "--rounds", "1", "--device", "cpu"]
    command = [sys.executable, "benchmarks/extract.py", "--model", str(model), *options, "--json", str(figures)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    (row,) = json.loads(figures.read_text())
    assert row["model"] == "ViT-toy"
    assert row["precision"] == "float32"
    assert row["fraction"] == row["images_per_second"] / row["model_images_per_second"] > 0
