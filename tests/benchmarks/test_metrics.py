"""The metrics benchmark runs, and its two ways agree."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "metrics.py"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What one run at toy size prints, and what it writes."""
    written = tmp_path_factory.mktemp("benchmark") / "metrics.json"
    command = [sys.executable, str(SCRIPT), "--images", "6", "--size", "48", "--json", str(written)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout
    return printed, json.loads(written.read_text())


@pytest.fixture(scope="module")
def comparison(report: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return report[1]


@pytest.mark.parametrize("name", ["auroc", "f1_max", "ap", "aupro_reference"])
def test_benchmark_ways_agree(comparison: dict[str, Any], name: str) -> None:
    plain, fast = (comparison["ways"][way]["figures"][name] for way in ("plain", "musc.metrics"))
    assert 0 < plain < 1
    assert fast == pytest.approx(plain, rel=0, abs=1e-9)


def test_benchmark_reports_the_largest_difference(comparison: dict[str, Any]) -> None:
    assert 0 <= comparison["largest_difference"] < 1e-9


def test_benchmark_peak_memory_is_no_higher(comparison: dict[str, Any]) -> None:
    assert comparison["memory_ratio"] <= 1


def test_benchmark_prints_both_ways_and_their_ratio(report: tuple[str, dict[str, Any]]) -> None:
    table = report[0]
    assert "6 float32 maps of 48 × 48" in table
    assert "plain" in table
    assert f"{report[1]['speedup']:.1f} times faster with" in table
