"""Many flow runs asked for at once of a server with PostgreSQL and one worker: what a run takes while others wait.

    python -m benchmarks.load.at_once [--runs 100] [--minutes 10]

Lots of 8 photographs, `texture` at 64 pixels, each a run of the deployment `score-lot` as `musc deploy` makes it, taken
by a process worker with `--limit 1`. All runs are asked for before the worker starts. Requests are those that the
server's access log names, without those of this program. Needs Debian's `postgresql`, as `benchmarks.load.flow_runs`
does, and is called in the project's folder.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.inputs import table_row
from benchmarks.load.copies import PIXELS, scored_once
from benchmarks.load.flow_runs import QUARTERS, cluster, many_lots, server

POOL, DEPLOYMENT = "musc", "score-lot/score-lot"
WAIT_SECONDS, STOP_SECONDS = 2, 60
OWN, MOST = "flow_runs/paginate", 200
"""Where this program asks which runs have ended, and how many a server tells at most; nobody else asks there."""
ANY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
ASKED = re.compile(r'"(GET|POST|PATCH|PUT|DELETE) ([^ ?]+)')


@dataclass(frozen=True)
class Ended:
    """A run that has ended."""

    state: str
    start: float
    """Seconds since 1970, as `end`."""
    end: float


def ask(address: str, path: str, body: Any = None) -> Any:
    """The answer of the server's API; sent where there is a body."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/{path}", content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def ended(address: str) -> list[Ended]:
    """All runs of the deployment that have ended, in this order."""
    states = {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}
    found = ask(address, OWN, {"flow_runs": {"state": states}, "sort": "END_TIME_DESC", "limit": MOST})["results"]
    times = [(run["state_type"], *(moment(run[name]) for name in ("start_time", "end_time"))) for run in found]
    return sorted((Ended(*values) for values in times), key=lambda run: run.end)


def moment(text: str | None) -> float:
    """Seconds since 1970; 0 for a run that never started."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def requests_in(log: Path) -> Counter[str]:
    """How often each address was asked for, identities left out."""
    text = log.read_text("utf-8", "replace")
    return Counter(f"{verb} {ANY_ID.sub('…', path)}" for verb, path in ASKED.findall(text) if not path.endswith(OWN))


def ask_for_all(address: str, folders: list[Path], store: Path) -> float:
    """Ask for a run of each lot; the seconds that all of it took."""
    began = time.perf_counter()
    deployment = ask(address, f"deployments/name/{DEPLOYMENT}")["id"]
    for folder in folders:
        parameters = {
            "folder": str(folder),
            "output": str(store),
            "category": folder.parent.name,
            "settings": {"backbone": "texture", "image_size": PIXELS},
        }
        ask(address, f"deployments/{deployment}/create_flow_run", {"parameters": parameters})
    return time.perf_counter() - began


def watch(address: str, log: Path, runs: int, seconds: float) -> list[tuple[Ended, int]]:
    """Every run that has ended in time, with the requests that the server had answered when it was seen."""
    seen: list[tuple[Ended, int]] = []
    deadline = time.monotonic() + seconds
    while len(seen) < runs and time.monotonic() < deadline:
        time.sleep(WAIT_SECONDS)
        if new := ended(address)[len(seen) :]:
            count = sum(requests_in(log).values())
            seen += [(run, count) for run in new]
    return seen


def show(seen: list[tuple[Ended, int]], requests: int) -> None:
    """Print a row for each quarter of the runs that have ended."""
    print(table_row(["runs", "seconds of a run, median", "from end to end, median", "requests from end to end"]))
    print("|---|---|---|---|")
    for quarter in range(QUARTERS):
        first, last = (len(seen) * part // QUARTERS for part in (quarter, quarter + 1))
        part = seen[first:last]
        pairs = [*zip(seen[max(first - 1, 0) :], part if first else part[1:], strict=False)]
        if part and pairs:
            own = median(run.end - run.start for run, _ in part)
            between = median(after.end - before.end for (before, _), (after, _) in pairs)
            asked = (part[-1][1] - (seen[first - 1][1] if first else requests)) / len(part)
            print(table_row([f"{first + 1} to {last}", f"{own:.1f}", f"{between:.1f}", f"{asked:.0f}"]))


def main() -> None:
    """Print what was asked for, the quarters, how runs ended, and the commonest requests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10, help="the worker is stopped after so many")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musc-load-")))
        folder.chmod(0o755)
        database = stack.enter_context(cluster(folder / "postgresql"))
        os.environ |= {"PREFECT_SERVER_LOGGING_LEVEL": "INFO", "PREFECT_LOGGING_SERVER_LEVEL": "INFO"}
        address = stack.enter_context(server(folder / "server", database))
        os.environ |= {"PREFECT_API_URL": address, "PREFECT_HOME": str(folder / "home")}
        os.environ |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "OMP_NUM_THREADS": "1"}
        place = many_lots(scored_once(folder / "template"), folder / "many", options.runs)
        said = ("deploy", "--root", str(place.root), "--output", str(place.store), "--schedule", "0 1 1 1 *")
        subprocess.run([sys.executable, "-m", "cli", *said], check=True, stdout=subprocess.DEVNULL)
        log = folder / "server" / "log"
        lots = sorted(place.root.glob("*/*"))
        print(f"{len(lots)} runs asked for in {ask_for_all(address, lots, place.store):.1f} s")
        before = sum(requests_in(log).values())
        words = ["-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--limit", "1"]
        with (folder / "worker.log").open("wb") as written:
            worker = subprocess.Popen([sys.executable, *words], stdout=written, stderr=subprocess.STDOUT)
        try:
            seen = watch(address, log, len(lots), 60 * options.minutes)
        finally:
            worker.terminate()
            worker.wait(STOP_SECONDS)
        show(seen, before)
        print(f"{len(seen)} of {len(lots)} have ended:", dict(Counter(run.state for run, _ in seen)))
        for what, count in requests_in(log).most_common(12):
            print(f"{count:>6} {what}")


if __name__ == "__main__":
    main()
