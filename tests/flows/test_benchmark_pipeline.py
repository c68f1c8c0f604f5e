"""The benchmark of the pipeline's overhead runs at toy size, against the tests' own Prefect server."""

import json
import os
from pathlib import Path

import pytest

from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "tests" / "data" / "ViT-toy.json"


def test_benchmark_pipeline_runs(prefect_server: str, prefect_forks: ForkServer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--images", "10", "--image-size", "32", "--rounds", "1", "--server", prefect_server]
    command = ["benchmarks/run/pipeline.py", "--model", str(TOY), *options, "--json", str(figures)]
    prefect_forks.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    found = json.loads(figures.read_text())
    assert found["overhead"] == pytest.approx(found["pipeline_seconds"] / found["bare_seconds"] - 1)
    assert found["cached_seconds"] > 0
    # The store keeps features in float16, which is all the difference.
    assert 0 < found["largest_difference"] < 5e-3
