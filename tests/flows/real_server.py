"""A Prefect server and a process worker as in production: processes and a home of their own, on loopback."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import certifi
import httpx

from cli.process.environment import DEFAULTS
from tests.forking import ForkServer

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 600.0
POOL = "musc"
T = TypeVar("T")
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here speaks TLS, and to read the usual authorities takes longer than a request."""


def wait_for(what: str, found: Callable[[], T | None], patience: float = PATIENCE_SECONDS) -> T:
    """Ask until there is an answer."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = found()
        if answer is not None:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"no {what} within {patience:.0f} s")


@dataclass
class RealServer:
    """A running server, and how to talk to it."""

    address: str
    environment: dict[str, str]
    log: Path
    forks: ForkServer | None = None
    """None executes a new interpreter for each command, as in production."""

    @property
    def ui(self) -> str:
        return self.address.removesuffix("/api")

    def prefect(self, *words: str) -> str:
        """A command of Prefect, run in the checkout."""
        return self.run("-m", "prefect", "--no-prompt", *words)

    def musc(self, *words: str) -> str:
        return self.run("-m", "cli", *words)

    def run(self, *words: str) -> str:
        with self.open(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                said, errors = process.communicate(timeout=PATIENCE_SECONDS)
            finally:
                process.kill()
        assert process.returncode == 0, said + errors
        return said

    def open(self, words: tuple[str, ...], **options: Any) -> "subprocess.Popen[str]":
        """A Python program in the checkout."""
        options |= {"cwd": CHECKOUT, "env": self.environment}
        if self.forks:
            return self.forks.start(list(words), **options)
        return subprocess.Popen([sys.executable, *words], text=True, **options)

    def start(self, name: str, *words: str) -> "subprocess.Popen[str]":
        """A process in a group of its own that writes into a log beside the server's."""
        with (self.log.parent / f"{name}.log").open("wb") as log:
            return self.open(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The API's answer; asked again while SQLite is busy, as Prefect's own client does."""

        def answered() -> httpx.Response | None:
            answer = httpx.request(method, f"{self.address}/{path}", json=body, timeout=60, verify=NO_AUTHORITIES)
            return None if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else answer

        answer = wait_for(f"answer to {path}", answered)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def post(self, path: str, **body: Any) -> Any:
        return self.ask("POST", path, body)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def up(self) -> str | None:
        """The address once the server answers there."""
        try:
            found = httpx.get(f"{self.address}/health", timeout=5, verify=NO_AUTHORITIES)
            return self.address if found.is_success else None
        except httpx.HTTPError:
            return None

    def trigger(self, deployment: str, at: str | None = None, **parameters: Any) -> str:
        """Ask for a run, now or at a time (ISO 8601), and return its id."""
        found = self.get(f"deployments/name/{deployment}")
        once = {"parameters": parameters, "idempotency_key": uuid4().hex}
        later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": at}}} if at else {}
        return str(self.post(f"deployments/{found['id']}/create_flow_run", **once, **later)["id"])

    def ended(self, flow_run: str) -> dict[str, Any]:
        """The run once it has come to an end."""

        def final() -> dict[str, Any] | None:
            run: dict[str, Any] = self.get(f"flow_runs/{flow_run}")
            return run if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None

        return wait_for(f"end of run {flow_run}", final)

    def pids(self) -> list[int]:
        """Processes of runs that have not ended."""
        running = self.post("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["RUNNING", "PENDING"]}}})
        return [int(run["infrastructure_pid"].rpartition(":")[2]) for run in running if run["infrastructure_pid"]]

    def below(self, flow_run: str) -> list[dict[str, Any]]:
        """The runs of sub-flows."""
        return list(self.post("flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [flow_run]}}))

    def artifacts(self, flow_run: str) -> dict[str, dict[str, Any]]:
        """Artifacts of a run by key."""
        found = self.post("artifacts/filter", artifacts={"flow_run_id": {"any_": [flow_run]}})
        return {artifact["key"]: artifact for artifact in found}

    def events(self, name: str) -> list[dict[str, Any]]:
        return list(self.post("events/filter", filter={"event": {"name": [name]}}, limit=50)["events"])


def one_authority(home: Path) -> str:
    """A file with the first of the usual authorities: each of Prefect's clients reads them anew."""
    first, end, _ = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----\n")
    (home / "authority.pem").write_text(first + end)
    return str(home / "authority.pem")


@contextmanager
def real_server(home: Path, database: Path, forks: ForkServer, **settings: str) -> Iterator[RealServer]:
    """A server for as long as the `with` block lasts, with a copy of a database that has its tables already.

    It, its worker, runs and commands are forks that have Prefect loaded; documents' tests have new interpreters.

    Args:
        settings: of Prefect, by name.
    """
    shutil.copy(database, home / "prefect.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/api"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    server = RealServer(
        address,
        {
            **environment,
            **DEFAULTS,
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": address,
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
            "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "2",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_UI_STATIC_DIRECTORY": str(home / "ui"),
            "PREFECT_API_SSL_CERT_FILE": one_authority(home),
            "OMP_NUM_THREADS": "1",
            **settings,
        },
        home / "server.log",
        forks,
    )
    process = server.start("server", "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    try:
        wait_for("server", server.up)
        yield server
    finally:
        end(process)


@contextmanager
def worker(server: RealServer) -> Iterator[None]:
    """A process worker for as long as the `with` block lasts."""
    process = server.start("worker", "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process")
    try:
        yield
    finally:
        for pid in server.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        end(process)


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process and all it started, kindly and then not."""
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait(20)
