"""How long a photograph takes from its arrival to its row, with `musc watch`: 50 arrivals, 100 good references.

python benchmarks/watch.py [--references 100] [--arrivals 50] [--backbone efficientnet-lite0]

Prints the median from the end of writing a file to its row, that of scoring alone, and the ratio of scoring to one bare
forward pass. Photographs are drawn.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import torch

from flows.pipelines.watch import watch_folder
from storage.datasets.synthetic.lot import write_lot
from storage.images.decode import decode
from tasks.planning.job import prepare
from tasks.planning.requests import WatchRequest, request_of
from tasks.runtime.models import load_backbone
from tasks.runtime.runner import InlineRunner

SIZE = 512
BETWEEN_SECONDS = 0.2
"""From a row to the next arrival."""


def main() -> None:
    """Draw, watch, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--references", type=int, default=100)
    parser.add_argument("--arrivals", type=int, default=50)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        root = Path(aside)
        total = given.references + given.arrivals
        pictures = write_lot(root / "all", good_count=total, defective_count=0, size=SIZE)
        for folder in ("good", "in"):
            (root / folder).mkdir()
        for picture in pictures[: given.references]:
            (root / "good" / picture.name).write_bytes(picture.read_bytes())
        new = [picture.read_bytes() for picture in pictures[given.references :]]
        asked = {"folder": str(root / "in"), "output": str(root / "store"), "good": str(root / "good")}
        request = request_of(WatchRequest, {**asked, "backbone": given.backbone})
        waited, scored = measure(request, new)
        job = prepare(request)
        bare = forward_seconds(job, new)
    threads = torch.get_num_threads()
    print(f"{len(waited)} arrivals against {given.references} references, {given.backbone}, {threads} threads")
    print(f"from written to row: median {median(waited):.2f} s, longest {max(waited):.2f} s")
    print(f"reading and scoring: median {median(scored):.3f} s")
    print(f"one bare forward pass: median {bare:.3f} s, so scoring takes {median(scored) / bare:.1f} times as long")


def measure(request: WatchRequest, contents: list[bytes]) -> tuple[list[float], list[float]]:
    """Seconds from the end of writing to the row, and seconds of scoring, of each arrival, one after the other."""
    stop, row_came = threading.Event(), threading.Event()
    waited: list[float] = []
    scored: list[float] = []

    def said(row: Mapping[str, Any]) -> None:
        if "seconds" in row:
            scored.append(row["seconds"])
        row_came.set()

    def deliver() -> None:
        row_came.wait()  # the references are ready
        for number, content in enumerate(contents):
            time.sleep(BETWEEN_SECONDS)
            row_came.clear()
            (Path(request.folder) / f"{number:03d}.png").write_bytes(content)
            started = time.perf_counter()
            row_came.wait()
            waited.append(time.perf_counter() - started)
        stop.set()

    thread = threading.Thread(target=deliver)
    thread.start()
    watch_folder(request, InlineRunner(), stop, said)
    thread.join()
    return waited, scored


def forward_seconds(job: Any, contents: list[bytes]) -> float:
    """Median seconds of the network on one photograph, decoded and resized before."""
    backbone, seconds = load_backbone(job.backbone, job.allocation.device), []
    for content in contents[:20]:
        pixels = backbone.preprocess(decode(content))[None].to(backbone.device)
        started = time.perf_counter()
        with torch.inference_mode():
            backbone.forward(pixels).class_tokens.cpu()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


if __name__ == "__main__":
    main()
