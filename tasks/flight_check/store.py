"""Checks of the store: whether it can be written, has room for tonight's lots, and agrees with the clock."""

import shutil
import time
from collections.abc import Mapping
from datetime import date, datetime
from math import prod
from pathlib import Path
from uuid import uuid4

from musc.layers import Grid
from planning.estimates.operations_and_bytes import project_cost
from planning.job_from_request import prepare
from planning.lot_job import LotJob
from planning.nights.check_lines import CheckLine, fails, ok, warning
from planning.nights.due_lots import check_lot, night_job, survey
from planning.requests import NightRequest
from reports.sentences import counted
from storage.disk_space import readable_bytes
from storage.images.listing import has_image_name, list_files, paths_below
from storage.images.lot_tree import FoundLot
from storage.images.lots import usable_images
from storage.store import TIMES, Store, absolute, nearest_existing, require_apart, require_store
from tasks.flight_check.lots import lots_below
from tasks.runtime.disk_need import needed_bytes

CONTENT = b"Written and removed by a flight check of musc.\n"
WRONG_SECONDS, ODD_SECONDS = 300.0, 30.0
"""Differences between two clocks that fail, and that are worth a warning."""
AMPLE = 2
"""Times the forecast that should be free."""


def check_store(root: str, output: str) -> CheckLine:
    """Whether a file can really be written, read again and removed."""
    require_apart(require_store(output), root)
    seconds = write_and_remove(Store(output))[1]
    return ok("store", f"{absolute(output)}: written, read and removed in {seconds:.2f} s")


def write_and_remove(store: Store) -> tuple[float | None, float]:
    """Write a file into a store, read it and remove it with every folder that was made for it.

    Returns:
        When it was written by the clock of the store, seconds since 1970, None where that is not told; and how long
        all of it took.

    Raises:
        OSError: if any of it fails.
    """
    path, began = f"flight-check-{uuid4().hex}", time.perf_counter()
    there = nearest_existing(store) if store.is_local else []
    try:
        store.write(path, CONTENT)
        if store.read(path) != CONTENT:
            raise OSError(f"store must keep what is written, got other bytes back from {store.location(path)}")
        store.filesystem.invalidate_cache()
        written = time_of(store.filesystem.info(store.full(path)))
    finally:
        store.delete(path)
        remove_made(Path(store.full("")), there)
    if store.exists(path):
        raise OSError(f"store must let files be removed, got {store.location(path)} still there; check its permissions")
    return written, time.perf_counter() - began


def remove_made(folder: Path, there: list[str]) -> None:
    """Remove a store's folder and those above it that were not there before, as far as they are empty."""
    if not there:
        return
    for made in (folder, *folder.parents):
        if str(made) == there[0] or not made.is_dir():
            return
        made.rmdir()


def time_of(details: Mapping[str, object]) -> float | None:
    """When a file was written, from what a file system tells of it."""
    told = next((details[name] for name in TIMES if name in details), None)
    if isinstance(told, datetime):
        return told.timestamp()
    return float(told) if isinstance(told, int | float) else None


def check_disk(request: NightRequest, today: date) -> CheckLine:
    """Whether the store's disk has room for the lots that are due, and for one more of each product that may come."""
    due, expected = tonights_lots(request, today)
    needed = sum(map(lot_bytes, (*due, *expected)))
    text = f"about {readable_bytes(needed)} for {counted(len(due), 'lot')} that {'is' if len(due) == 1 else 'are'} due"
    if expected:
        text += f" and {len(expected)} that may come, as large as the newest of their products"
    store = Store(request.output)
    if not store.is_local:
        return ok("disk", f"{text}; how much room the object store has is not told")
    free = shutil.disk_usage(nearest_existing(store)[0]).free
    text = f"{readable_bytes(free)} free, {text}"
    if free < needed:
        return fails("disk", text, f"run `musc clean {request.output}`, or give the store more room")
    if free < AMPLE * needed:
        return warning("disk", text, f"`musc clean {request.output}` says what can be freed")
    return ok("disk", text)


Forecast = tuple[LotJob, int, Grid]
"""A job, its number of images, and tiles of each image."""


def tonights_lots(request: NightRequest, today: date) -> tuple[list[Forecast], list[Forecast]]:
    """What tonight will score: lots that are due, and for each product without a lot of today one like its newest."""
    job, jobs = night_job(request), dict[str, LotJob]()
    plain = request.changed(good_from_verdicts=False, ignore_drawn=False)

    def forecast(found: FoundLot) -> Forecast:
        if found.category not in jobs:
            jobs[found.category] = prepare(plain.lot(found.folder, found.lot, found.category), images=())
        return jobs[found.category], *images_and_tiles(jobs[found.category], found.folder)

    due = [
        found
        for found in survey(request.root, request.category, request.since).lots
        if check_lot(found, job, default_settings=request.default_settings).outcome is None
    ]
    newest = {found.category: found for found in lots_below(request.root, request.category) if found.date}
    coming = [found for found in newest.values() if found.date and found.date < today]
    return [forecast(found) for found in due], [forecast(found) for found in coming]


def images_and_tiles(job: LotJob, folder: str) -> tuple[int, Grid]:
    """How many files of a folder are called like images, and into how many tiles each is cut, as its first one says."""
    store = Store(folder)
    paths = [path for path in paths_below(store) if has_image_name(path)]
    if job.settings.tile is None or not paths:
        return len(paths), (1, 1)
    from musc.plan.lot_as_tiles import tile_layout

    first = usable_images(list_files(store, paths[:1]))
    return len(paths), tile_layout(job.settings, first)


def lot_bytes(forecast: Forecast) -> int:
    """About what a lot takes on disk."""
    job, image_count, layout = forecast
    return needed_bytes(project_cost(job, prod(layout) * image_count, 0, layout)) if image_count else 0


def check_clock(root: str, category: str | None, output: str, server_seconds: float | None, today: date) -> CheckLine:
    """Compare this machine's clock with the store's, the server's, and the newest lot's date.

    Args:
        server_seconds: by how much the server's clock is ahead; None without a server.
        today: in local time.
    """
    try:
        written = write_and_remove(Store(output))[0]
    except OSError:
        written = None  # said by the check of the store
    ahead = {} if written is None else {"the store": written - time.time()}
    ahead |= {} if server_seconds is None else {"the server": server_seconds}
    try:
        newest = max((found.date for found in lots_below(root, category) if found.date), default=None)
    except Exception:
        newest = None  # said by the check of the root
    return clock_line(ahead, newest, today)


def clock_line(ahead: Mapping[str, float], newest: date | None, today: date) -> CheckLine:
    """What to say of the clock.

    Args:
        ahead: seconds by which other clocks are ahead of this machine's.
        newest: date of the newest lot.
        today: in local time.
    """
    texts = [f"{name}'s clock is {abs(by):,.0f} s {'ahead' if by > 0 else 'behind'}" for name, by in ahead.items()]
    text = "; ".join([f"today is {today}", *texts])
    advice = "set the clock, best by NTP, on this machine and on the one that it is compared with"
    if newest and (newest - today).days > 1:
        return fails("clock", f"{text}; the newest lot is of {newest}, which is yet to come", advice)
    worst = max(map(abs, ahead.values()), default=0.0)
    if worst > WRONG_SECONDS:
        return fails("clock", text, advice)
    if worst > ODD_SECONDS:
        return warning("clock", text, advice)
    return ok("clock", text)
