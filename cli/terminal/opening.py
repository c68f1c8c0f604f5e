"""A command's first lines, printed before torch is loaded: what is scored, and where it runs."""

import os
import time
from pathlib import Path

import typer

from cli.terminal.text import visible
from musc.settings import DEFAULT_BACKBONE, PAPER_BACKBONE
from planning.requests import BenchmarkRequest, Request
from planning.resources import EngineName

WATCH = "docs/operations.md says how to watch runs in Prefect's UI"
WHERE = {
    "inline": f"in this process, without a server; {WATCH}",
    "threads": "as Prefect tasks, by a thread of this process; the UI shows them",
    "dask": "as Prefect tasks, by Dask workers; the UI shows them",
}


def announce(subject: str, engine: EngineName) -> None:
    """Print what will be scored, if anything is said about it, and where."""
    for line in (subject, f"runs {WHERE[engine]}"):
        if line:
            typer.echo(f"{time.strftime('%H:%M:%S')} {visible(line)}", err=True)


def subject_of(request: Request) -> str:
    """Place, number of files, backbone and device of what is scored."""
    place = str(getattr(request, "folder", None) or getattr(request, "root", ""))
    usual = PAPER_BACKBONE if isinstance(request, BenchmarkRequest) else DEFAULT_BACKBONE
    several = request.backbones if isinstance(request, BenchmarkRequest) else ()
    backbones = several or (request.settings.backbone or usual,)
    count = file_count(place)
    files = "" if count is None else f", {count:,} files"
    return f"{place}{files}; backbone {', '.join(backbones)}, device {request.resources.device}"


def file_count(place: str) -> int | None:
    """Files in a local folder and those below, hidden ones left out; None elsewhere."""
    if not Path(place).is_dir():
        return None
    count = 0
    for _, folders, files in os.walk(place):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += sum(not name.startswith(".") for name in files)
    return count
