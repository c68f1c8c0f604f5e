"""`prefect` and `musc` for a shell of a test: programs that have a fork server run the command and end as it does."""

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

from tests.forking import ForkServer

MODULES = {"prefect": "prefect", "musc": "cli"}
MESSAGE_BYTES = 1 << 20
PATIENCE_SECONDS = 120

LAUNCHER = """#!{python} -IS
import json, os, signal, socket, sys
asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
asking.connect("\\0{place}")
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: asking.send(b"%d" % number))
request = {{"program": ["-m", "{module}", *sys.argv[1:]], "cwd": os.getcwd(), "env": dict(os.environ)}}
socket.send_fds(asking, [json.dumps(request).encode()], [0, 1, 2])
code = int(asking.recv(64))
if code < 0:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
"""Passes signals on; who kills it kills the command."""


def serve(asking: socket.socket, forks: ForkServer) -> None:
    """Run the command of one launcher until it ends or its launcher does."""
    message, files, _, _ = socket.recv_fds(asking, MESSAGE_BYTES, 3)
    request: dict[str, Any] = json.loads(message)
    streams = dict(zip(("stdin", "stdout", "stderr"), files, strict=True))
    with asking, forks.start(request.pop("program"), **request, **streams, start_new_session=True) as process:
        for file in files:
            os.close(file)
        ended = os.pidfd_open(process.pid)
        try:
            while ended not in select.select([asking, ended], [], [])[0]:
                told = asking.recv(16)
                process.send_signal(int(told) if told else signal.SIGKILL)
                if not told:
                    return
            asking.send(str(process.wait(PATIENCE_SECONDS)).encode())
        finally:
            os.close(ended)


@contextmanager
def launchers(folder: Path, forks: ForkServer) -> Iterator[None]:
    """Both commands in a folder, to be found by its place in the path, as long as the `with` block lasts."""
    place = f"musc-{uuid4().hex}"
    for name, module in MODULES.items():
        text = LAUNCHER.format(python=sys.executable, place=place, module=module)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(f"\0{place}")  # of no folder, whose path could be too long
        listening.listen()
        started = []

        def accept() -> None:
            while True:
                try:
                    asking, _ = listening.accept()
                except OSError:  # it is closed
                    return
                started.append(Thread(target=serve, args=(asking, forks)))
                started[-1].start()

        accepting = Thread(target=accept)
        accepting.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *started):
                thread.join(PATIENCE_SECONDS)
