"""How long a photograph takes from its arrival to its row, with `musc watch`, and whether kills lose or double any.

python benchmarks/watch.py [--photographs ../shared/data/mvtec_ad/bottle] [--references 100] [--arrivals 50]
python benchmarks/watch.py --kills 5 --arrivals 200 …

Prints the median from the end of writing a file to its row, that of scoring alone, and the ratio of scoring to one bare
forward pass; with `--kills` how many rows are lost or doubled when the command is killed so many times (`kill -9`)
while photographs arrive, with a given threshold. Photographs are drawn, or those of a category in MVTec AD's layout:
its good ones are references, its tested ones arrive; where there are too few, copies moved by some pixels and made a
little brighter or darker follow.
"""

import argparse
import io
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import ImageChops, ImageEnhance

from flows.pipelines.watch import Started, open_watch, watch_folder
from planning.job_from_request import prepare
from planning.requests import WatchRequest, request_of
from storage.datasets.synthetic.lot import write_lot
from storage.images.decode import decode
from storage.results.arrivals import Arrival
from tasks.runtime.loaded_backbones import load_backbone
from tasks.runtime.runner import InlineRunner

SIZE = 512
BETWEEN_SECONDS = 0.2
"""From a row to the next arrival, and between arrivals while the command is killed."""
MOST_MOVED, MOST_BRIGHTER = 4, 0.03
"""Pixels, and part, by which copies differ from their photograph."""


def main() -> None:
    """Draw or read, watch, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--references", type=int, default=100)
    parser.add_argument("--arrivals", type=int, default=50)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--kills", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        root = Path(aside)
        good, new = pictures(root, given.photographs, given.references, given.arrivals)
        for folder in ("good", "in"):
            (root / folder).mkdir()
        for number, content in enumerate(good):
            (root / "good" / f"{number:03d}.png").write_bytes(content)
        asked = {"folder": str(root / "in"), "output": str(root / "store"), "good": str(root / "good")}
        request = request_of(WatchRequest, {**asked, "backbone": given.backbone, "category": "part"})
        print(f"{given.references} references, {given.backbone}, {torch.get_num_threads()} threads")
        if given.kills:
            killed(root, given.backbone, new, given.kills)
        else:
            timed(request, new)


def pictures(root: Path, photographs: Path | None, good_count: int, new_count: int) -> tuple[list[bytes], list[bytes]]:
    """Contents of the references and of what arrives, all of them different."""
    if photographs is None:
        drawn = write_lot(root / "all", good_count=good_count + new_count, defective_count=0, size=SIZE)
        contents = [picture.read_bytes() for picture in drawn]
        return contents[:good_count], contents[good_count:]
    good = sorted(photographs.glob("*/good/*"))
    new = sorted(path for path in photographs.glob("test/*/*") if path.parent.name != "good") + good
    return with_copies(good, good_count, 0), with_copies(new, new_count, 1)


def with_copies(paths: Sequence[Path], wanted: int, seed: int) -> list[bytes]:
    """So many contents: the files themselves, then copies moved by some pixels and made a little brighter or darker."""
    random = np.random.default_rng(seed)

    def contents() -> Any:
        yield from (path.read_bytes() for path in paths)
        for number in count():
            picture = decode(paths[number % len(paths)].read_bytes())
            moved = ImageChops.offset(picture, *(int(by) for by in random.integers(-MOST_MOVED, MOST_MOVED + 1, 2)))
            lighter = ImageEnhance.Brightness(moved).enhance(1 + random.uniform(-MOST_BRIGHTER, MOST_BRIGHTER))
            buffer = io.BytesIO()
            lighter.save(buffer, "PNG")
            yield buffer.getvalue()

    return list(islice(contents(), wanted))


def timed(request: WatchRequest, new: list[bytes]) -> None:
    """Let photographs arrive one after the other, and print how long each takes."""
    started = time.perf_counter()
    cpu = time.process_time()
    open_watch(request, InlineRunner())
    print(
        f"first start: {time.perf_counter() - started:.0f} s, {time.process_time() - cpu:.0f} s of CPU time", flush=True
    )
    waited, scored = measure(request, new)
    job = prepare(request)
    bare = forward_seconds(job, new)
    print(f"{len(waited)} arrivals, from written to row: median {median(waited):.2f} s, longest {max(waited):.2f} s")
    print(f"reading and scoring: median {median(scored):.3f} s")
    print(f"one bare forward pass: median {bare:.3f} s, so scoring takes {median(scored) / bare:.1f} times as long")


def measure(request: WatchRequest, contents: list[bytes]) -> tuple[list[float], list[float]]:
    """Seconds from the end of writing to the row, and seconds of scoring, of each arrival, one after the other."""
    stop, row_came = threading.Event(), threading.Event()
    waited: list[float] = []
    scored: list[float] = []

    def show(shown: Started | Arrival) -> None:
        if not isinstance(shown, Started):
            scored.append(shown["seconds"])
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
    watch_folder(request, InlineRunner(), stop, show)
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


def killed(root: Path, backbone: str, contents: Sequence[bytes], kills: int) -> None:
    """Let photographs arrive while the command is killed and started again, and print what became of them."""
    words = ["watch", str(root / "in"), "--good", str(root / "good"), "--output", str(root / "store")]
    words += ["--backbone", backbone, "--category", "part", "--engine", "inline", "--threshold", "1"]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "cli", *words], stdout=subprocess.DEVNULL)

    def row_count() -> int:
        return len(list(root.glob("store/watch/*/scores/*.parquet")))

    def deliver() -> None:
        for number, content in enumerate(contents):
            (root / "in" / f"{number:03d}.png").write_bytes(content)
            time.sleep(BETWEEN_SECONDS)

    process, delivering = start(), threading.Thread(target=deliver)
    delivering.start()
    try:
        for number in range(kills):
            while row_count() < len(contents) * (number + 1) // (kills + 1) and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            print(
                f"killed after {row_count()} rows, {len(list((root / 'in').iterdir()))} photographs had arrived",
                flush=True,
            )
            process = start()
        delivering.join()
        while row_count() < len(contents) and process.poll() is None:
            time.sleep(0.1)
        time.sleep(3)  # whatever might be doubled still comes
    finally:
        process.terminate()
        process.wait()
    (parts,) = root.glob("store/watch/*/scores")
    table = pd.read_parquet(parts)
    found = Counter(table["path"])
    lost = len(contents) - len(found)
    print(f"{len(contents)} arrived, {len(table)} rows, {lost} lost, {sum(found.values()) - len(found)} doubled")


if __name__ == "__main__":
    main()
