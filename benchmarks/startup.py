"""How long a command takes beside the imports that no run can do without.

    python benchmarks/startup.py

Eight drawn images are scored with the defaults into an empty store, and again with everything stored, inline. Ratios
are to `python -c "import torch, zarr, pandas"` in the same run; of several rounds the fastest of each counts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from storage.datasets.synthetic.lot import write_lot

ROOT = Path(__file__).resolve().parents[1]
IMAGES = 8
IMPORTS = (sys.executable, "-c", "import torch, zarr, pandas")


def seconds_of(*command: str) -> float:
    """Wall time of a process that must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return time.perf_counter() - started


def main() -> None:
    """Measure and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = range(parser.parse_args().rounds)
    with tempfile.TemporaryDirectory() as scratch:
        lot = Path(scratch) / "lot"
        write_lot(lot, good_count=IMAGES - 1, defective_count=1)
        imports = min(seconds_of(*IMPORTS) for _ in rounds)
        score = (sys.executable, "-m", "cli", "score", str(lot / "test"), "--engine", "inline", "--output")
        first = min(seconds_of(*score, f"{scratch}/out-{number}") for number in rounds)
        again = min(seconds_of(*score, f"{scratch}/out-0") for _ in rounds)
    print("| what | seconds | ratio to the imports |")
    print("|---|---|---|")
    for what, seconds in (("imports", imports), ("8 images, first run", first), ("8 images, stored", again)):
        print(f"| {what} | {seconds:.1f} | {seconds / imports:.1f} |")


if __name__ == "__main__":
    main()
