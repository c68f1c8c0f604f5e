"""Commands of the project as processes of their own, ended at a chosen moment, and what is left of their work."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.results.runs import IMAGES, SCORES, Run
from storage.store import Store
from tests.forking import ForkServer

PATIENCE_SECONDS = 240

CHILD = """
import os, sys
from importlib import import_module

place, name, deadly_call, number = import_module(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
real, calls = getattr(place, name), []

def dying(*given, **named):
    result = real(*given, **named)
    calls.append(name)
    if len(calls) == deadly_call:
        os.killpg(0, number)
    return result

setattr(place, name, dying)
sys.argv = ["musc", *sys.argv[5:]]
import_module("cli.main").main()
"""
"""The command in a process that signals itself and all it started when a function has been called for so many times."""


@dataclass(frozen=True)
class Command:
    """A command of the project, each time as a process in a session of its own."""

    words: tuple[str, ...]
    server: str | None
    """The address of Prefect's API; None leaves the command to itself."""
    forks: ForkServer

    def start(self, output: Path | str, *words: str, program: tuple[str, ...] = ("-m", "cli")) -> subprocess.Popen[str]:
        """Begin, with the results in a store of its own."""
        given = [*program, *self.words, "--output", str(output), *words]
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True}
        options["env"] = {**os.environ, **({"PREFECT_API_URL": self.server} if self.server else {})}
        if "LD_PRELOAD" in os.environ:  # read when a program is executed
            return subprocess.Popen([sys.executable, *given], text=True, **options)
        return self.forks.start(given, **options)

    def finish(self, process: subprocess.Popen[str]) -> str:
        """What it says, once it has ended well."""
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, said
        return said

    def start_deadly(
        self, function: str, call: int, output: Path, *words: str, number: signal.Signals = signal.SIGKILL
    ) -> subprocess.Popen[str]:
        """Begin a run that a signal strikes right after a call of `module.function`."""
        module, _, name = function.rpartition(".")
        return self.start(output, *words, program=("-c", CHILD, module, name, str(call), str(int(number))))

    def kill_at(self, function: str, call: int, output: Path, *words: str) -> None:
        """Run until SIGKILL strikes right after a call of `module.function`."""
        process = self.start_deadly(function, call, output, *words)
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == -signal.SIGKILL, said


def complete(output: Path, folder: str = "*") -> dict[str, int]:
    """The artefacts of a store that have a marker, with the time it was written."""
    found = sorted(output.glob(f"{folder}/[!.]*/complete.json"))
    return {str(marker.parent.relative_to(output)): marker.stat().st_mtime_ns for marker in found}


def results(output: Path | str) -> dict[str, bytes]:
    """The bytes of the only run's tables, and of its patch scores."""
    store = Store(str(output))
    (run,) = {name.split("/")[0] for name in store.sizes("runs") if ".partial-" not in name}
    found = {name: store.read(f"runs/{run}/{name}") for name in (SCORES, IMAGES)}
    return {"run": run.encode(), **found, "patch_scores": Run(store, f"runs/{run}").patch_scores().tobytes()}
