"""What a command says first, before torch is loaded: what it is going to do, and where it runs."""

import os
import time
from pathlib import Path
from typing import Any

import typer

from cli.process.engines import chosen_engine
from cli.terminal.text import visible

WATCH = "docs/operations.md says how to watch runs in Prefect's UI"
WHERE = {
    "inline": f"in this process, without a server; {WATCH}",
    "threads": "as Prefect tasks, by a thread of this process; the UI shows them",
    "dask": "as Prefect tasks, by Dask workers; the UI shows them",
}

USUAL_BACKBONE, BENCHMARK_BACKBONE = "efficientnet-lite0", "ViT-L-14-336"
"""The defaults, as `musc.backbones` has them, which would load torch."""


def announce(parameters: dict[str, Any]) -> None:
    """Print what will be scored with which backbone and where; choose the engine and note it in the parameters.

    Raises:
        ConnectionError: if a configured API is needed and does not answer.
    """
    parameters["engine"] = chosen_engine(parameters.get("engine"))
    where = WHERE.get(parameters["engine"], "")
    for line in (*subjects(parameters), *([f"runs {where}"] if where else [])):
        typer.echo(f"{time.strftime('%H:%M:%S')} {visible(line)}", err=True)


def subjects(parameters: dict[str, Any]) -> list[str]:
    """Place, number of files, backbone and device of a command that scores; nothing for others."""
    place = parameters.get("folder") or parameters.get("root")
    if place is None:
        return []
    own = BENCHMARK_BACKBONE if "dataset" in parameters else USUAL_BACKBONE
    backbones = parameters.get("backbones") or (parameters.get("backbone") or own,)
    count = file_count(place)
    files = "" if count is None else f", {count:,} files"
    return [f"{place}{files}; backbone {', '.join(backbones)}, device {parameters.get('device') or 'auto'}"]


def file_count(place: str) -> int | None:
    """Files in a local folder and those below, hidden ones left out; None elsewhere."""
    if not Path(place).is_dir():
        return None
    count = 0
    for _, folders, files in os.walk(place):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += sum(not name.startswith(".") for name in files)
    return count
