"""A Dask scheduler of one's own and its workers, processes beside the tests."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.dask_cluster import connected
from planning.resources import Engine

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "prefect", "numba", "zarr", "pandas", "tasks.score"}


def modules_of(dask_scheduler: Any) -> list[str]:
    return list(sys.modules)


class DaskScheduler:
    """A scheduler of one's own, a process, and the file that names its address."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.processes = [self.start("scheduler", "--no-dashboard", "--host", "127.0.0.1", "--port", "0")]
        deadline = time.monotonic() + 120
        while not (self.file.exists() and self.file.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self.address = str(json.loads(self.file.read_text())["address"])

    def start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", kind, "--scheduler-file", str(self.file), *options]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def add_worker(self) -> None:
        self.processes.append(self.start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"))

    def heavy_modules(self) -> set[str]:
        """What it has imported that takes seconds, and that only workers need."""
        with connected(Engine("dask", self.address)) as (client, _):
            return HEAVY & set(client.run_on_scheduler(modules_of))

    def end(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@contextmanager
def own_scheduler(folder: Path) -> Iterator[DaskScheduler]:
    """One that has no workers yet; it and its workers end with the `with` block."""
    started = DaskScheduler(folder)
    try:
        yield started
    finally:
        started.end()
