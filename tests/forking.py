"""Commands as forks of one process that has the libraries loaded: a process each, without the seconds of its imports.

A forked command has a process id, a folder, variables, files and a session of its own, ends as it would, and is the
child of whoever asked for it. Neither the project nor Prefect is loaded before: what they do at their import, with the
variables of the command, they do in the command. Not for tests of what a new interpreter does: which libraries it
loads, how text is encoded on its way, its memory. Nor for variables that are read when a program is executed, such as
LD_PRELOAD.
"""

import ctypes
import inspect
import json
import os
import runpy
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
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
FORKABLE = {Path("/proc/self/comm").read_text().strip(), "jemalloc_bg_thd"}
"""The main thread, and that of pyarrow's memory, which jemalloc starts anew in a fork."""
LOADING_SECONDS = 240
FORKING_SECONDS = 60
RUNNING_SECONDS = 300
MESSAGE_BYTES = 1 << 20
SET_CHILD_SUBREAPER = 36
"""Of Linux's prctl: whoever loses its parent below this process becomes its child."""


class ForkServer:
    """A process that forks commands, and the socket over which it is asked for them."""

    def __init__(self, process: "subprocess.Popen[bytes]", asking: socket.socket) -> None:
        self.process, self.asking = process, asking

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
        adopt_orphans(True)
        try:
            socket.send_fds(self.asking, [json.dumps(request).encode()], files)
            return int(self.asking.recv(64))
        except (OSError, ValueError) as error:
            state = f"it ended with {code}" if (code := self.process.poll()) is not None else "it runs"
            raise RuntimeError(
                f"the process that forks commands must answer within {FORKING_SECONDS} s; {state}"
            ) from error
        finally:
            adopt_orphans(False)


class Forked(subprocess.Popen):  # type: ignore[type-arg]
    """A child that was forked instead of executed; all else is Popen's own."""

    def __init__(self, server: ForkServer, program: list[str], **options: Any) -> None:
        self.server = server
        super().__init__(program, text=True, **options)

    def _execute_child(self, *positional: Any, **named: Any) -> None:
        given = inspect.signature(subprocess.Popen._execute_child).bind(self, *positional, **named).arguments  # type: ignore[attr-defined]
        request = {
            "program": given["args"],
            "folder": str(given["cwd"] or Path.cwd()),
            "variables": dict(os.environ if given["env"] is None else given["env"]),
            "new_session": bool(given["start_new_session"]),
        }
        places = ("p2cread", "c2pwrite", "errwrite")
        files = [own if given[place] == -1 else given[place] for own, place in enumerate(places)]
        self.pid = self.server.fork(request, files)
        self._child_created = True
        ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[end] for end in ends))  # type: ignore[attr-defined]


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """A server that ends with the `with` block; commands that it has started do not."""
    asking, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with asking, answering:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", str(answering.fileno())],
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
                raise RuntimeError(f"the process that forks commands must load {', '.join(LIBRARIES)}; see its output")
            asking.settimeout(FORKING_SECONDS)
            yield server
        finally:
            asking.close()
            process.kill()
            process.wait()


def adopt_orphans(adopt: bool) -> None:
    """Whether processes below this one that lose their parent become children of this process."""
    if ctypes.CDLL(None, use_errno=True).prctl(SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl cannot make this process adopt orphans")


def serve(answering: socket.socket) -> dict[str, Any]:
    """Fork for each request; returns the request, in the fork, and ends the process where nobody asks any more."""
    for name in LIBRARIES:
        import_module(name)
    if others := {task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")} - FORKABLE:
        sys.exit(f"a process that forks must have no thread that forks lack, got {', '.join(others)} after its imports")
    answering.send(b"ready")
    while True:
        message, files, _, _ = socket.recv_fds(answering, MESSAGE_BYTES, 3)
        if not message:
            sys.exit()
        told, telling = os.pipe()
        if between := os.fork():  # the process in between ends at once, so that the command loses its parent
            os.close(telling)
            os.waitpid(between, 0)
            answering.send(os.read(told, 64))
            for file in (told, *files):
                os.close(file)
            continue
        parent = os.getpid()
        if command := os.fork():
            os.write(telling, str(command).encode())
            os._exit(0)
        while os.getppid() == parent:
            time.sleep(0.001)
        for own, file in enumerate(files):
            os.dup2(file, own)
        answering.close()
        for file in (told, telling, *files):
            os.close(file)
        return dict(json.loads(message))


def become(request: dict[str, Any]) -> None:
    """Run the program as its interpreter would."""
    if request["new_session"]:
        os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.path[:1] = [request["folder"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    first, *rest = request["program"]
    main = sys.modules["__main__"] = ModuleType("__main__")
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = [first, *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)
    else:
        sys.argv = [first, *rest]
        sys.path[0] = str(Path(first).resolve().parent)
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
