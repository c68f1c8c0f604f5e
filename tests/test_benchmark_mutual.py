"""The benchmark of mutual scoring runs at toy size and compares ways that agree."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_benchmark_mutual_runs(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "benchmarks/mutual.py", "--shape", "5,49,16", "--growth", "", "--repeats", "1"]
    subprocess.run([*command, "--json", str(figures)], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True)
    (row,) = json.loads(figures.read_text())
    assert row["shape"] == [5, 49, 16]
    assert row["largest_difference"] < 1e-5
    assert row["seconds"] > 0
