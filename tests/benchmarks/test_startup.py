"""The benchmark of a command's start runs as the docs name it; its seconds are not judged here."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_both_ratios_are_printed_for_commands_that_succeed() -> None:
    command = [sys.executable, "benchmarks/startup.py", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True)
    rows = [re.fullmatch(r"\| (.+) \| \d+\.\d \| (\d+\.\d) \|", line) for line in done.stdout.splitlines()[2:]]
    assert [row[1] for row in rows if row] == ["import torch", "first run", "stored", "musc show"]
    assert rows[0]
    assert rows[0][2] == "1.0"
