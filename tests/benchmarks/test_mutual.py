"""The benchmark of mutual scoring runs at toy size and compares ways that agree, the kernel interpreted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def measure(figures: Path, *options: str, **environment: str) -> list[dict]:
    command = [sys.executable, "benchmarks/mutual.py", "--growth", "", "--repeats", "1", "--json", str(figures)]
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, *options], cwd=ROOT, env={**inherited, **environment}, check=True)
    return json.loads(figures.read_text())  # type: ignore[no-any-return]


def test_benchmark_mutual_runs(tmp_path: Path) -> None:
    plain, ours = measure(tmp_path / "figures.json", "--shape", "5,49,16")
    assert [row["way"] for row in (plain, ours)] == ["straightforward", "float32"]
    assert ours["shape"] == [5, 49, 16]
    assert ours["largest_difference"] < 1e-5
    assert ours["seconds"] > 0
    assert ours["ratio"] == pytest.approx(plain["seconds"] / ours["seconds"])


def test_benchmark_mutual_runs_half_precision_and_the_kernel(tmp_path: Path) -> None:
    pytest.importorskip("triton", reason="Triton is not installed")
    rows = measure(
        tmp_path / "figures.json", "--shape", "3,9,64", "--ways", "bfloat16,fused bfloat16", TRITON_INTERPRET="1"
    )
    assert [row["way"] for row in rows] == ["bfloat16", "fused bfloat16"]
    assert all(row["largest_difference"] < 5e-3 for row in rows)
