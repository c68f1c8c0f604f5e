"""A night of many lots as flow runs at a server with PostgreSQL: requests and seconds of each lot, from first to last.

    python -m benchmarks.load.flow_runs [--lots 100]

A cluster of PostgreSQL and a server are started on free ports of loopback, in a temporary folder. Needs Debian's
`postgresql`; root lends the cluster to the user `postgres`.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.load.copies import NIGHT, PRODUCT, Place, scored_once

START_SECONDS = 300
QUARTERS = 4


@dataclass
class Asked:
    """One lot's run."""

    requests: int
    seconds: float


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A cluster of PostgreSQL with an empty database, and the URL by which Prefect reaches it."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))[-1]
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder.mkdir()
    if prefix:
        shutil.chown(folder, "postgres")
    port, data = free_port(), str(folder / "data")

    def run(program: str, *words: str) -> None:
        command = [*prefix, str(programs / program), *words]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=START_SECONDS)

    run("initdb", "-U", "postgres", "--auth=trust", "-D", data)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        run("createdb", "-h", str(folder), "-p", str(port), "-U", "postgres", "prefect")
        yield f"postgresql+asyncpg://postgres@127.0.0.1:{port}/prefect"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")


@contextmanager
def server(folder: Path, database: str) -> Iterator[str]:
    """A running server with that database, and the URL of its API."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/api"
    settings = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_UI_STATIC_DIRECTORY": str(folder / "ui"),
    }
    words = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    folder.mkdir()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *words], env={**os.environ, **settings}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_for(f"{address}/health")
        yield address
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def wait_for(address: str) -> None:
    """Until something answers there."""
    for _ in range(START_SECONDS):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(1)
        else:
            return
    raise TimeoutError(f"nothing answers at {address}")


def many_lots(template: Place, folder: Path, lots: int) -> Place:
    """A root with lots that are due, all of other photographs, and no results."""
    place = Place(folder)
    for number in range(lots):
        photographs = place.root / f"part-{number % 20:03d}" / f"2026-02-{1 + number // 20:02d}"
        shutil.copytree(template.root / PRODUCT / str(NIGHT), photographs)
        for path in photographs.iterdir():
            path.write_bytes(path.read_bytes() + number.to_bytes(4, "big"))
    return place


def night_of(place: Place) -> list[Asked]:
    """Score the lots as flow runs; what each asked the server for, and how long it took."""
    from prefect import flow
    from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient

    from flows.pipelines.night import score_night
    from flows.runners import PrefectRunner
    from flows.score_lot import score_lot
    from planning.requests import LotRequest
    from planning.task_results import ScoredLot

    asked: list[Asked] = []
    sent = [0]
    send, send_async = PrefectHttpxSyncClient.send, PrefectHttpxAsyncClient.send

    def counted(self: object, *arguments: object, **options: object) -> object:
        sent[0] += 1
        return send(self, *arguments, **options)

    async def counted_async(self: object, *arguments: object, **options: object) -> object:
        sent[0] += 1
        return await send_async(self, *arguments, **options)

    PrefectHttpxSyncClient.send, PrefectHttpxAsyncClient.send = counted, counted_async

    def one_lot(request: LotRequest) -> ScoredLot:
        before, began = sent[0], time.perf_counter()
        done: ScoredLot = score_lot(**dict(request))
        asked.append(Asked(sent[0] - before, time.perf_counter() - began))
        return done

    @flow(name="night of many lots")
    def night() -> None:
        score_night(place.request, PrefectRunner(), one_lot)

    night()
    return asked


def main() -> None:
    """Print a line for each quarter of the night."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lots", type=int, default=100)
    lots = parser.parse_args().lots
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musc-load-")))
        folder.chmod(0o755)
        database = stack.enter_context(cluster(folder / "postgresql"))
        address = stack.enter_context(server(folder / "server", database))
        os.environ |= {"PREFECT_API_URL": address, "PREFECT_HOME": str(folder / "home")}
        os.environ |= {"PREFECT_LOGGING_LEVEL": "WARNING", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        place = many_lots(scored_once(folder / "template"), folder / "many", lots)
        asked = night_of(place)
        print("| lots | requests of a lot, median | most | seconds of a lot, median |\n|---|---|---|---|")
        for quarter in range(QUARTERS):
            part = asked[len(asked) * quarter // QUARTERS : len(asked) * (quarter + 1) // QUARTERS]
            counts = [one.requests for one in part]
            first = len(asked) * quarter // QUARTERS + 1
            seconds = median(one.seconds for one in part)
            print(f"| {first} to {first + len(part) - 1} | {median(counts):.0f} | {max(counts)} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
