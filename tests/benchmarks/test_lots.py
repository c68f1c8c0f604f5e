"""The benchmark of decisions and groups runs at toy size and finds what was planted."""

import json
from pathlib import Path

from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]


def test_benchmark_lots_runs(forks: ForkServer, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    toy = {"parts": "cast", "kinds": "stain", "first-seed": 0, "seeds": 1, "images": 14, "size": 64, "clean-lots": 2}
    command = ["benchmarks/lots.py", "--json", str(figures)]
    command += [text for name, value in toy.items() for text in (f"--{name}", str(value))]
    shown = forks.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    found = json.loads(figures.read_text())
    assert {row["share"] for row in found["groups"]} == {0.0, 0.05, 0.1, 0.2, 0.3}
    assert all(0 <= row["image_auroc_handled"] <= 1 for row in found["groups"])
    assert "| cast, 1 of 9 + 5 |" in shown
    assert "stain, varied places" in shown
