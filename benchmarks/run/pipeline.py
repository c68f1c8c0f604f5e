"""What the pipeline costs beyond its computations: flow, tasks, hashing and storage against the method in memory.

    python benchmarks/run/pipeline.py
    python benchmarks/run/pipeline.py --images 40 --rounds 1

A lot is drawn and a ViT-B/16 of random weights is made on the spot. In turn, the lot is scored in memory
(`musc.score_images`, decoding included), by the flow `score_lot` into an empty store, and by the same flow again, which
then finds everything stored. The best of the rounds counts. Both ways use one loaded model in one process. The flow
talks to a running Prefect server: one that is started here on loopback, in a home of its own, and ended at the end.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError

ROOT = Path(__file__).resolve().parents[2]
OVERHEAD_BAR = 0.15
CACHED_BAR_SECONDS = 5.0
START_SECONDS = 180


def timed(action: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """A call's result, with the seconds it took and the CPU seconds of this process's threads."""
    wall, busy = time.perf_counter(), time.process_time()
    result = action()
    return result, {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - busy}


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """The address of a Prefect server that lives as long as the `with` block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the server ends as well
    address = f"http://127.0.0.1:{port}/api"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_healthy(address):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {(home / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def is_healthy(address: str) -> bool:
    """Whether a server answers."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def rounds_of(given: argparse.Namespace, home: Path) -> list[dict[str, Any]]:
    """Each round's times of the three ways, and how far the scores of the two computations lie apart."""
    import musc
    from benchmarks.inputs import make_lot, make_weights, model_name
    from flows.score_lot import score_lot
    from musc import backbones
    from planning.requests import LotRequest, request_of
    from storage.images.decode import decode
    from storage.results.runs import Run
    from storage.store import Store
    from tasks.runtime.loaded_backbones import load_backbone

    lot = make_lot(home / "lot", given.images, size=256)
    name, weights = model_name(given.model), make_weights(given.model, home)
    settings = {"backbone": name, "weights": str(weights), "image_size": given.image_size, "device": "cpu"}
    backbone = load_backbone(backbones.resolve(name, weights=weights, image_size=given.image_size, device="cpu"), "cpu")
    paths = sorted(lot.rglob("*.png"))

    def in_memory() -> Any:
        return musc.score_images([decode(path.read_bytes()) for path in paths], backbone)

    def in_the_flow() -> Any:
        return score_lot(
            **dict(request_of(LotRequest, {"folder": str(lot), "output": str(home / "store"), **settings}))
        )

    backbone.extract([decode(paths[0].read_bytes())])
    measured = []
    for _ in range(given.rounds):
        shutil.rmtree(home / "store", ignore_errors=True)
        scores, bare = timed(in_memory)
        done, pipeline = timed(in_the_flow)
        _, cached = timed(in_the_flow)
        table = Run(Store(str(home / "store")), done.run).scores().set_index("path")
        ours = table.loc[[str(path.relative_to(lot)) for path in paths], "raw_score"].to_numpy()
        difference = float(abs(ours - scores.raw_image_scores.numpy()).max())
        measured.append({"bare": bare, "pipeline": pipeline, "cached": cached, "largest_difference": difference})
        print(json.dumps(measured[-1]), flush=True)
    return measured


def summary(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The best round of each way, and what the pipeline costs beyond the computations, as a fraction of them."""

    def best(way: str, clock: str) -> float:
        return min(float(one[way][clock]) for one in measured)

    bare, pipeline = best("bare", "seconds"), best("pipeline", "seconds")
    busy = best("bare", "cpu_seconds"), best("pipeline", "cpu_seconds")
    return {
        "bare_seconds": bare,
        "pipeline_seconds": pipeline,
        "overhead": pipeline / bare - 1,
        "bare_cpu_seconds": busy[0],
        "pipeline_cpu_seconds": busy[1],
        "processor_overhead": busy[1] / busy[0] - 1,
        "cached_seconds": best("cached", "seconds"),
        "largest_difference": max(one["largest_difference"] for one in measured),
    }


def show(found: dict[str, Any]) -> None:
    """Print the summary and whether the bars are met."""
    print(f"in memory   {found['bare_seconds']:8.1f} s  ({found['bare_cpu_seconds']:.1f} s of CPU time)")
    print(f"pipeline    {found['pipeline_seconds']:8.1f} s  ({found['pipeline_cpu_seconds']:.1f} s)")
    print(f"overhead    {found['overhead']:8.1%}    ({found['processor_overhead']:.1%}); bar {OVERHEAD_BAR:.0%}")
    print(f"all cached  {found['cached_seconds']:8.1f} s; bar {CACHED_BAR_SECONDS:.0f} s")
    print(f"image scores differ by at most {found['largest_difference']:.1e}")


def main() -> None:
    """Read the options, measure, print; `--json` also writes the figures to a file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--images", type=int, default=200)
    options.add_argument("--model", default="ViT-B-16", help="an open_clip model, or a JSON file that describes one")
    options.add_argument("--image-size", type=int, default=224)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--server", help="address of a running Prefect server, e.g. http://127.0.0.1:4200/api")
    options.add_argument("--json", type=Path, help="file for the figures")
    given = options.parse_args()
    with TemporaryDirectory() as folder:
        home = Path(folder)
        measure(given, home)


def measure(given: argparse.Namespace, home: Path) -> None:
    """Set up Prefect before it is imported, measure and print."""
    from cli.process.environment import prepare_environment

    prepare_environment(0)
    os.environ["PREFECT_HOME"] = str(home / "prefect")
    os.environ["PREFECT_LOCAL_STORAGE_PATH"] = str(home / "prefect" / "results")
    if given.server:
        os.environ["PREFECT_API_URL"] = given.server
        found = summary(rounds_of(given, home))
    else:
        with prefect_server(home) as address:
            os.environ["PREFECT_API_URL"] = address
            found = summary(rounds_of(given, home))
    show(found)
    if given.json:
        given.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
