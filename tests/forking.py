"""Commands as forks of one process that has the libraries loaded: a process each, without the seconds of its imports.

A forked command has a process id, a folder, variables, files and a session of its own, ends as it would, and is the
child of whoever asked for it. Neither the project nor Prefect is loaded before: what they do at their import, with the
variables of the command, they do in the command. Not for tests of what a new interpreter does: which libraries it
loads, how text is encoded on its way, its memory. Nor for variables that are read when a program is executed, such as
LD_PRELOAD.

A server that is made with Prefect has it loaded too, and its commands read Prefect's settings again. Python programs
that they start, as a worker of Prefect starts runs, are then forked from a copy of them that is as new. What the
process does that forks, and what a fork does, is in `tests/forked.py`.
"""

import ctypes
import inspect
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    *("torch", "numpy", "pandas", "scipy.ndimage", "scipy.special", "PIL.Image", "pyarrow.parquet", "zarr"),
    *("fsspec.implementations.local", "pydantic", "typer", "rich.progress", "rich.table", "jinja2", "yaml"),
    *("PIL.ImageDraw", "PIL.PngImagePlugin", "PIL.JpegImagePlugin", "pyarrow.dataset"),
    *("httpx", "anyio", "websockets", "cloudpickle", "jsonschema", "sqlalchemy.ext.asyncio", "pydantic_settings"),
    *("griffe", "fastapi", "pendulum", "docket"),
)
"""What commands load of others; Prefect loads the last two lines of them."""
PREFECT = (
    *("prefect.cli", "prefect.cli.server", "prefect.cli.worker", "prefect.cli.deploy", "prefect.flow_engine"),
    *("prefect.server.api.server", "prefect.workers.process", "prefect.automations", "prefect.blocks.notifications"),
)
"""What its commands, server, workers and runs load of Prefect."""
LOADING_SECONDS = 240
FORKING_SECONDS = 60
RUNNING_SECONDS = 300
SET_PARENT_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36
"""Of Linux's prctl: die with the parent; whoever loses its parent below this process becomes its child."""


class ForkServer:
    """A process that forks commands, and the socket over which it is asked for them."""

    def __init__(self, process: "subprocess.Popen[Any] | None", asking: socket.socket) -> None:
        self.process, self.asking, self.one_at_a_time = process, asking, threading.Lock()

    def start(self, program: list[str], **options: Any) -> "subprocess.Popen[str]":
        """`subprocess.Popen` of a Python program: `-m` and a module, `-c` and its text, or a file, then its arguments.

        Args:
            options: `cwd`, `env`, `stdin`, `stdout`, `stderr` and `start_new_session` as there; pipes are text.
        """
        return Forked(self, program, **options)

    def run(self, program: list[str], **options: Any) -> str:
        """What a program prints that must end well."""
        with self.start(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
            try:
                said, errors = process.communicate(timeout=RUNNING_SECONDS)
            finally:
                process.kill()
        assert process.returncode == 0, errors
        return str(said)

    def fork(self, request: dict[str, Any], files: list[int]) -> int:
        """The process id of a new child of this process.

        Raises:
            RuntimeError: if the server does not answer in time.
        """
        with self.one_at_a_time:
            control_process(SET_CHILD_SUBREAPER, 1)
            try:
                socket.send_fds(self.asking, [json.dumps(request).encode()], files)
                return int(self.asking.recv(64))
            except (OSError, ValueError) as error:
                code = self.process.poll() if self.process else None
                state = f"it ended with {code}" if code is not None else "it runs"
                raise RuntimeError(
                    f"the process that forks commands must answer within {FORKING_SECONDS} s; {state}"
                ) from error
            finally:
                control_process(SET_CHILD_SUBREAPER, 0)

    def fork_into(self, process: "subprocess.Popen[Any]", program: list[str], given: dict[str, Any]) -> None:
        """What `Popen._execute_child` does, given its arguments, for a Python program."""
        request = {
            "program": program,
            "folder": str(given["cwd"] or Path.cwd()),
            "variables": dict(os.environ if given["env"] is None else given["env"]),
            "new_session": bool(given["start_new_session"]),
        }
        places = ("p2cread", "c2pwrite", "errwrite")
        files = [own if given[place] == -1 else given[place] for own, place in enumerate(places)]
        process.pid = self.fork(request, files)
        process._child_created = True  # type: ignore[attr-defined]
        ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        process._close_pipe_fds(*(given[end] for end in ends))  # type: ignore[attr-defined]


EXECUTE_CHILD: Callable[..., None] = subprocess.Popen._execute_child  # type: ignore[attr-defined]


class Forked(subprocess.Popen):  # type: ignore[type-arg]
    """A child that was forked instead of executed; all else is Popen's own."""

    def __init__(self, server: ForkServer, program: list[str], **options: Any) -> None:
        self.server = server
        super().__init__(program, text=True, **options)

    def _execute_child(self, *positional: Any, **named: Any) -> None:
        given = inspect.signature(EXECUTE_CHILD).bind(self, *positional, **named).arguments
        self.server.fork_into(self, given["args"], given)


@contextmanager
def fork_server(*libraries: str) -> Iterator[ForkServer]:
    """A server that ends with the `with` block; commands that it has started do not.

    Args:
        libraries: to be loaded beside `LIBRARIES`; with `PREFECT`, Python programs that commands start are forked too.
    """
    asking, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with asking, answering:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", str(answering.fileno()), *libraries],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            pass_fds=[answering.fileno()],
        )
        answering.close()
        server = ForkServer(process, asking)
        asking.settimeout(LOADING_SECONDS)
        try:
            if asking.recv(64) != b"ready":
                raise RuntimeError(f"the process that forks commands must load {LIBRARIES + libraries}; see its output")
            asking.settimeout(FORKING_SECONDS)
            yield server
        finally:
            asking.close()
            process.kill()
            process.wait()


def control_process(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value}) is refused")
