"""The commands of a document, pasted into a shell all at once as a reader would."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.flows.launched import launchers
from tests.flows.real_server import CHECKOUT, NO_AUTHORITIES, RealServer, wait_for
from tests.forking import ForkServer

OPERATIONS, BACK_UP, MANY_MACHINES = (
    CHECKOUT / "docs" / f"{page}.md" for page in ("operations", "back-up", "many-machines")
)
PARTS = ("flows", "tasks", "reports", "planning", "storage", "musc", "cli", "prefect.yaml")
"""What a deployment needs of the project's folder."""
SHELL_PATIENCE_SECONDS = 600


def commands(heading: str, number: int = 0, page: Path = OPERATIONS) -> list[str]:
    """The lines behind `$ ` of a section's console block, without their remarks."""
    section = page.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    block = re.findall(r"```console\n(.*?)```", section, re.DOTALL)[number]
    return [re.sub(r"\s+# .*", "", line[2:]) for line in block.splitlines() if line.startswith("$ ")]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Account:
    """A user who has never used Prefect, in a copy of the project's folder; the server has a port of its own."""

    home: Path
    port: int
    variables: Mapping[str, str]

    @property
    def project(self) -> Path:
        return self.home / "musc"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        machine = {
            name: value for name, value in os.environ.items() if not name.upper().startswith(("PREFECT_", "NO_PROXY"))
        }
        path = f"{self.home / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"HOME": str(self.home), "PATH": path, "PREFECT_SERVER_API_PORT": str(self.port), "OMP_NUM_THREADS": "1"}
        quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_UI_STATIC_DIRECTORY": str(self.home / "ui")}
        return {**machine, **own, **quick, **self.variables}

    def start(self, lines: list[str]) -> subprocess.Popen[str]:
        """A shell that reads all lines at once; its own group holds what it leaves in the foreground."""
        with (self.home / "said.log").open("wb") as log:
            shell = subprocess.Popen(
                ["bash"],
                cwd=self.project,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        assert shell.stdin
        shell.stdin.write("".join(f"{line} || echo FAILED: {line.split()[0]}\n" for line in lines))
        shell.stdin.close()
        return shell

    def paste(self, lines: list[str]) -> str:
        """What a shell says that reads all lines at once and comes to their end; each of them must succeed."""
        shell = self.start(lines)
        shell.wait(SHELL_PATIENCE_SECONDS)
        assert "FAILED: " not in self.said, self.said
        return self.said

    @property
    def server(self) -> RealServer:
        """To ask its server, and to call commands as this account does."""
        return RealServer(self.address, self.environment, self.home / "server.log")

    @property
    def said(self) -> str:
        return (self.home / "said.log").read_text("utf-8", "replace")

    def end_server(self, number: int = signal.SIGTERM) -> None:
        """End the server that the commands started, if there is one."""
        pid_file = self.project / "prefect-server.pid"
        if pid_file.is_file():
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(pid_file.read_text()), number)
                wait_for("end of the server", lambda: None if self.is_up() else True, 60)

    def is_up(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/health", timeout=5, verify=NO_AUTHORITIES).is_success
        return False


@contextmanager
def account(home: Path, forks: ForkServer | None = None, **variables: str) -> Iterator[Account]:
    """An account whose server is ended with the `with` block.

    Args:
        forks: runs its commands `prefect` and `musc`; None executes a new interpreter for each, as people do.
    """
    found = Account(home, free_port(), variables)
    found.project.mkdir()
    (home / "bin").mkdir()
    for part in PARTS:
        if (CHECKOUT / part).is_dir():
            shutil.copytree(CHECKOUT / part, found.project / part)  # and what is compiled, which takes a while
        else:
            shutil.copy(CHECKOUT / part, found.project / part)
    with launchers(home / "bin", forks) if forks else nullcontext():
        try:
            yield found
        finally:
            found.end_server()


def end_group(shell: subprocess.Popen[str]) -> None:
    """End what a shell of `Account.start` still runs, the worker in it too."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, number)
        with suppress(subprocess.TimeoutExpired):
            shell.wait(20)
    shell.wait(20)
