"""How long commands take beside the import of torch, which no scoring can do without.

    python benchmarks/startup.py [--folder PHOTOGRAPHS]

Photographs, eight drawn ones unless a folder is given, are scored with the defaults into an empty store, again with
everything stored, and shown, inline. Ratios are to `python -c "import torch"` in the same run; of several rounds, all
commands in turn, the median counts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from storage.datasets.synthetic.lot import write_lot

ROOT = Path(__file__).resolve().parents[1]
IMAGES = 8


def seconds_of(*command: str) -> float:
    """Wall time of a Python process that must succeed."""
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run((sys.executable, *command), check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


def one_round(folder: Path, store: str) -> dict[str, float]:
    """Seconds of each command, in the order of the table."""
    score = ("-m", "cli", "score", str(folder), "--engine", "inline", "--output", store)
    seconds = {"import torch": seconds_of("-c", "import torch"), "first run": seconds_of(*score)}
    seconds["stored"] = seconds_of(*score)
    (run,) = (Path(store) / "runs").iterdir()
    return {**seconds, "musc show": seconds_of("-m", "cli", "show", str(run))}


def main() -> None:
    """Measure and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder
        if folder is None:
            write_lot(Path(scratch) / "lot", good_count=IMAGES - 1, defective_count=1)
            folder = Path(scratch) / "lot" / "test"
        rounds = [one_round(folder, f"{scratch}/out-{number}") for number in range(options.rounds)]
    medians = {what: median(one[what] for one in rounds) for what in rounds[0]}
    print("| what | seconds | ratio to the import |")
    print("|---|---|---|")
    for what, seconds in medians.items():
        print(f"| {what} | {seconds:.1f} | {seconds / medians['import torch']:.1f} |")


if __name__ == "__main__":
    main()
