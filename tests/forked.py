"""The process that forks commands, and the forks; `tests/forking.py` starts it and says what it is for."""

import atexit
import gc
import inspect
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from tests.forking import (
    EXECUTE_CHILD,
    FORKING_SECONDS,
    LIBRARIES,
    SET_PARENT_DEATH_SIGNAL,
    ForkServer,
    control_process,
)

MESSAGE_BYTES = 1 << 20
EXECUTING = "prefect.runner._workspace_supervisor"
"""The program with which a worker starts a run; it ends by executing another one in its place."""
FOR_COMMANDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals for a command's group, which the copy that forks its programs leaves to them: it ends with the command."""
FORKABLE = {Path("/proc/self/comm").read_text().strip(), "jemalloc_bg_thd"}
"""The main thread, and that of pyarrow's memory, which jemalloc starts anew in a fork."""


def load(libraries: list[str]) -> None:
    """Import what commands load; must leave a process that can be forked."""
    for name in (*LIBRARIES, *libraries):
        import_module(name)
    if others := {task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")} - FORKABLE:
        sys.exit(f"a process that forks must have no thread that forks lack, got {', '.join(others)} after its imports")
    gc.collect()
    gc.freeze()  # forks would otherwise copy all of it whenever they look for garbage


def serve(answering: socket.socket) -> dict[str, Any]:
    """Fork for each request; returns the request, in the fork, and ends the process where nobody asks any more."""
    answering.send(b"ready")
    while True:
        message, files, _, _ = socket.recv_fds(answering, MESSAGE_BYTES, 3)
        if not message:
            os._exit(0)
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


def fork_python_programs() -> None:
    """From now on `subprocess` forks Python programs, from a copy of this process that a child of it keeps as it is."""
    asking, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        asking.close()
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in FOR_COMMANDS}
        nothing = os.open(os.devnull, os.O_RDWR)
        for file in (0, 1, 2):  # whoever reads what the command says waits for its end alone
            os.dup2(nothing, file)
        request = serve(answering)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        become(request)
    answering.close()
    if asking.recv(64) != b"ready":
        raise RuntimeError("the copy of a command that forks its programs must be ready")
    asking.settimeout(FORKING_SECONDS)
    server = ForkServer(None, asking)

    def execute_child(process: "subprocess.Popen[Any]", *positional: Any, **named: Any) -> None:
        given = inspect.signature(EXECUTE_CHILD).bind(process, *positional, **named).arguments
        words = list(given["args"]) if isinstance(given["args"], list | tuple) else []
        plain = words[:1] == [sys.executable] and words[1:2] in (["-m"], ["-c"]) and not given["shell"]
        if plain and given["preexec_fn"] is None and not given["pass_fds"]:
            server.fork_into(process, words[1:], given)
        else:
            EXECUTE_CHILD(process, *positional, **named)

    subprocess.Popen._execute_child = execute_child  # type: ignore[attr-defined]


def last_program(request: dict[str, Any]) -> dict[str, Any]:
    """The program, with folder and variables, that the program of a request executes in its place in the end."""
    told, telling = os.pipe()
    parent, first = os.getpid(), os.fork()
    if not first:
        os.close(told)
        tell_what_is_executed(request, telling, parent)
    os.close(telling)
    with os.fdopen(told) as executed:
        message = executed.read()
    _, status = os.waitpid(first, 0)
    if not message:
        os._exit(abs(os.waitstatus_to_exitcode(status)))
    return request | json.loads(message)


def tell_what_is_executed(request: dict[str, Any], telling: int, parent: int) -> NoReturn:
    """Run the program up to there, unless the parent dies, and write it into a pipe."""
    control_process(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

    def execute(file: str, words: list[str], variables: dict[str, str]) -> None:
        assert file == sys.executable, words
        with os.fdopen(telling, "w") as executed:
            json.dump({"program": words[1:], "folder": str(Path.cwd()), "variables": variables}, executed)
        sys.stdout.flush()
        os._exit(0)

    os.execvpe = execute  # type: ignore[assignment]
    end_as(lambda: run(request))


def become(request: dict[str, Any]) -> None:
    """Run the program as its interpreter would."""
    if request["new_session"]:
        os.setsid()
    if "prefect" in sys.modules:
        fork_python_programs()
    request = last_program(request) if request["program"][:2] == ["-m", EXECUTING] else request
    end_as(lambda: run(request))


def end_as(program: Callable[[], None]) -> NoReturn:
    """End the process as the interpreter does after a program, but without taking apart what it has loaded.

    Which would copy all memory that it shares with the process that forked it. After Ctrl-C the interpreter does it.
    """
    code: Any = None
    try:
        program()
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        code = error.code
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for file in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            file.flush()
    os._exit((code or 0) & 0xFF)


def run(request: dict[str, Any]) -> None:
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.path[:1] = [request["folder"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    if "prefect" in sys.modules:
        read_settings_again()
    first, *rest = request["program"]
    main = sys.modules["__main__"] = ModuleType("__main__")
    if first == "-m":
        sys.argv = rest
        sys.modules.pop(rest[0] if rest[0] != "prefect" else "", None)
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = [first, *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)
    else:
        sys.argv = [first, *rest]
        sys.path[0] = str(Path(first).resolve().parent)
        runpy.run_path(first, run_name="__main__")


def read_settings_again() -> None:
    """Have Prefect's settings and logging as variables, folder and home are now."""
    names = ("context", "settings.sources", "settings.constants", "logging.configuration")
    context, sources, constants, configuration = (import_module(f"prefect.{name}") for name in names)
    sources._file_cache.clear()
    sources.DEFAULT_PREFECT_HOME = constants.DEFAULT_PREFECT_HOME = Path.home() / ".prefect"
    context.GLOBAL_SETTINGS_CONTEXT = None
    context.refresh_global_settings_context()
    configuration.setup_logging(incremental=False)


if __name__ == "__main__":
    load(sys.argv[2:])
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
