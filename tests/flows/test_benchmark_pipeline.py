"""The benchmark of the pipeline's overhead runs at toy size, against the tests' own Prefect server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "tests" / "data" / "ViT-toy.json"


def test_benchmark_pipeline_runs(prefect_server: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--images", "10", "--image-size", "32", "--rounds", "1", "--server", prefect_server]
    command = [sys.executable, "benchmarks/run/pipeline.py", "--model", str(TOY), *options, "--json", str(figures)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=400)
    found = json.loads(figures.read_text())
    assert found["overhead"] == pytest.approx(found["pipeline_seconds"] / found["bare_seconds"] - 1)
    assert found["cached_seconds"] > 0
    # The store keeps features in float16, which is all the difference.
    assert 0 < found["largest_difference"] < 5e-3
