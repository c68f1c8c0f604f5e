"""The benchmark of mutual scoring runs at toy size and compares ways that agree."""

import json
from pathlib import Path

from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]


def measure(forks: ForkServer, figures: Path, *options: str) -> dict[str, dict]:
    """The benchmark's figures, by way."""
    command = ["benchmarks/mutual.py", "--rounds", "2", "--json", str(figures), *options]
    forks.run(command, cwd=ROOT, env={"HOME": str(figures.parent), "PYTHONPATH": str(ROOT)})
    return {row["way"]: row for row in json.loads(figures.read_text())}


def test_benchmark_mutual_compares_ways_that_agree(forks: ForkServer, tmp_path: Path) -> None:
    found = measure(forks, tmp_path / "figures.json", "--shape", "6,7x5,16", "--degrees", "1,3")
    assert list(found) == ["authors", "products", "pooled", "bare products", "one product"]
    assert {row["case"] for row in found.values()} == {"6, 7x5, 16, degrees 1 3"}
    assert all(row["seconds"] > 0 for row in found.values())
    assert max(found[way]["largest_difference"] for way in ("products", "pooled")) < 1e-5
    assert found["one product"]["largest_difference"] is None
    assert found["one product"]["product_operations"] == 15 * 2 * 35**2 * 16


def test_benchmark_mutual_runs_half_precision(forks: ForkServer, tmp_path: Path) -> None:
    found = measure(forks, tmp_path / "figures.json", "--shape", "3,3x3,64", "--ways", "bfloat16,products")
    assert 1e-5 < found["bfloat16"]["largest_difference"] < 5e-3
