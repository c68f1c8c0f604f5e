"""A command's first lines, printed before torch is loaded: what is scored, and where it runs."""

import os
import time
from pathlib import Path

import typer

from cli.process.prefect_api import configured_api
from cli.terminal.escaping import visible
from musc.settings import DEFAULT_BACKBONE
from planning.requests import BenchmarkRequest, LotRequest, NightRequest, WatchRequest
from planning.resources import EngineName
from storage.given_names import PRODUCTS, SIGN

WATCH = "docs/operations.md says how to watch runs in Prefect's UI"
WHERE = {
    "inline": f"in this process, without a server; {WATCH}",
    "threads": "as Prefect tasks, by a thread of this process",
    "dask": "as Prefect tasks, by Dask workers",
    "dask without an API": f"by Dask workers, without a server; {WATCH}",
}
AnyScoring = LotRequest | NightRequest | BenchmarkRequest | WatchRequest


def announce(subject: str, where: str) -> None:
    """Print what will be scored, if anything is said about it, and where."""
    for line in (subject, f"runs {where}"):
        if line:
            typer.echo(f"{time.strftime('%H:%M:%S')} {visible(line)}", err=True)


def where_of(engine: EngineName) -> str:
    """Where tasks run, and whether anybody can look at them."""
    if engine == "inline":
        return WHERE[engine]
    api = configured_api()
    if engine == "dask" and api is None:
        return WHERE["dask without an API"]
    return (
        f"{WHERE[engine]}; {f'{api.url} shows them' if api else f'no API is configured, so no UI shows them; {WATCH}'}"
    )


def subject_of(request: AnyScoring) -> str:
    """Place, number of files, backbone and device of what is scored."""
    place = request.root if isinstance(request, NightRequest | BenchmarkRequest) else request.folder
    if isinstance(request, BenchmarkRequest):
        backbones = request.backbone
    else:
        backbones = (request.settings.backbone or DEFAULT_BACKBONE,)
        if not (request.settings.backbone or request.default_settings) and Path(request.output, PRODUCTS).is_dir():
            backbones = (f"{DEFAULT_BACKBONE}, or as accepted for the product",)
    count = file_count(place)
    files = "" if count is None else ", 1 file" if count == 1 else f", {count:,} files"
    return f"{place}{files}; backbone {', '.join(backbones)}, device {request.resources.device}"


def file_count(place: str) -> int | None:
    """Files in a local folder and those below, hidden ones left out; None elsewhere."""
    if not Path(place).is_dir():
        return None
    count = 0
    for _, folders, files in os.walk(place):
        if SIGN in files:  # a store
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += sum(not name.startswith(".") for name in files)
    return count
