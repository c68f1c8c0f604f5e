"""A watched folder for tests: parts that are drawn, and a watch that ends after so many rows."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from flows.pipelines.watch import watch_folder
from planning.requests import WatchRequest, request_of
from storage.datasets.synthetic.lot import write_lot
from tasks.runtime.runner import InlineRunner

SETTINGS: dict[str, Any] = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1, 3)}
PATIENCE_SECONDS = 120


def draw(root: Path) -> Path:
    """Twelve good parts in `good`; one more, and two defective ones, in `new`."""
    pictures = write_lot(root / "all", good_count=13, defective_count=2, size=64)
    for folder, chosen in (("good", pictures[:12]), ("new", pictures[12:])):
        (root / folder).mkdir()
        for number, picture in enumerate(chosen):
            (root / folder / f"{number}.png").write_bytes(picture.read_bytes())
    return root


def watch(
    folder: Path, drawn: Path, store: Path, until: int, started: threading.Event | None = None, **more: Any
) -> pd.DataFrame:
    """Watch until so many rows came, and return the table; set an event when it begins."""
    given = {"folder": str(folder), "output": str(store), "category": "cap", "good": str(drawn / "good"), **SETTINGS}
    stop, shown = threading.Event(), []
    end = threading.Timer(PATIENCE_SECONDS, stop.set)
    end.start()

    def show(row: Any) -> None:
        shown.append(row)
        if started:
            started.set()
        if len(shown) > until:  # the first one is no photograph
            stop.set()

    try:
        return watch_folder(request_of(WatchRequest, {**given, **more}), InlineRunner(), stop, show).table()
    finally:
        end.cancel()


def copied(folder: Path, drawn: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes((drawn / "new" / name).read_bytes())
    return folder


def until(true: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    assert true()
