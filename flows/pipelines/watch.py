"""Watch a folder: every new photograph is scored against references that stay the same. Nothing here knows Prefect."""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from musc.decisions.threshold import FLAGGED, MIN_IMAGES, decide
from planning.job import none_drawn, prepare
from planning.lot import extract_specs, good_job
from planning.requests import WatchRequest
from reports.judged_good import with_judged_good
from reports.references import earlier_references
from storage.artefacts import digest
from storage.errors import ImageChangedError, UnreadableImageError
from storage.images.listing import list_files
from storage.images.lots import USABLE, ListedImage, load_usable, read_image
from storage.names import short_name
from storage.results.arrivals import FOLDER, Arrival, Arrivals, arrival_id
from storage.store import Store, require_writable
from tasks.extract import extract_block, extracted_contents
from tasks.ingest import list_good
from tasks.regions import keep_region
from tasks.runtime.runner import Runner
from tasks.runtime.stage import run_stage
from tasks.watching.bank import Bank, contents_of, open_bank
from tasks.watching.settling import Look, Waiting, image_paths, look_at, observing
from tasks.watching.telling import Tell, Teller, webhook

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
"""For so long a file that does not change and cannot be decoded may still be on its way."""
TICK_SECONDS = 0.1
RESCAN_SECONDS = 30.0
"""How often the whole folder is looked at, should an event have been lost."""

Said = Callable[[Mapping[str, Any]], None]
Scored = tuple[str, Arrival, Look]
"""Name, row and look of a photograph."""


@dataclass(frozen=True)
class Watch:
    """What arrivals are scored with and where they are kept."""

    folder: Path
    bank: Bank
    arrivals: Arrivals
    threshold: float
    """Raw score at and above which photographs are flagged; NaN where nothing decides one."""


def watch_folder(
    request: WatchRequest, runner: Runner, stop: threading.Event, said: Said, tells: Sequence[Tell] = ()
) -> Arrivals:
    """Score photographs of a folder as they come until told to stop; those scored before are not scored again.

    Args:
        request: by the user.
        runner: makes the features of the references.
        stop: ends the watch after the photograph at hand.
        said: is called with every new row, and first with `{"watch": path, "references": count, "threshold": …}`.
        tells: are told of flagged rows, beside the webhook.
    """
    tells = [*tells, *([webhook(request.webhook)] if request.webhook else [])]
    watch = open_watch(request, runner)
    count = len(watch.bank.contents)
    said(
        {"watch": watch.arrivals.store.location(watch.arrivals.path), "references": count, "threshold": watch.threshold}
    )
    teller, known = Teller(watch.arrivals, tells), watch.arrivals.names()
    looks: dict[str, Look] = {}
    table = watch.arrivals.table()
    told = watch.arrivals.told() if tells else set()
    for known_row in table.to_dict("records"):
        looks[str(known_row["path"])] = int(known_row["size"]), int(known_row["modified_ns"])
        name = arrival_id(str(known_row["path"]), str(known_row["sha256"]))
        if known_row["decision"] == FLAGGED and name not in told:
            teller.tell(name, {str(key): value for key, value in known_row.items()})
    try:
        for name, row, look in new_rows(watch, known, looks, stop, poll=request.poll):
            watch.arrivals.add(name, row)
            known.add(name)
            looks[row["path"]] = look
            said(row)
            if row["decision"] == FLAGGED:
                teller.tell(name, row)
    finally:
        teller.close()
    return watch.arrivals


def new_rows(
    watch: Watch, known: set[str], looks: dict[str, Look], stop: threading.Event, *, poll: bool
) -> Iterator[Scored]:
    """Name, row and look of every photograph that is whole and not known, as they come."""
    waiting, scanned = Waiting(watch.folder), -RESCAN_SECONDS
    with observing(watch.folder, poll=poll) as changed:
        while not stop.is_set():
            if time.monotonic() - scanned > RESCAN_SECONDS:
                scanned = time.monotonic()
                for path in image_paths(watch.folder):
                    if looks.get(path) != look_at(watch.folder / path):
                        waiting.add(path)
            for path in taken(changed):
                waiting.add(path)
            for path, look, unchanged in waiting.settled():
                if stop.is_set():
                    return
                if looks.get(path) == look:
                    waiting.drop(path)
                    continue
                try:
                    row = row_of(watch, path, look, patient=unchanged < PATIENCE_SECONDS)
                except OSError as error:  # of a disk or a share, which may come back
                    log.warning("%s cannot be read now (%s); it is tried again", path, error)
                    row = None
                if row is None:
                    waiting.postpone(path)
                    continue
                waiting.drop(path)
                name = arrival_id(path, row["sha256"])
                if name in known:
                    looks[path] = look
                else:
                    yield name, row, look


def taken(changed: "queue.SimpleQueue[str]") -> set[str]:
    """Take all paths from a queue; waits `TICK_SECONDS` for the first."""
    found: set[str] = set()
    try:
        found.add(changed.get(timeout=TICK_SECONDS))
        while True:
            found.add(changed.get_nowait())
    except queue.Empty:
        return found


def row_of(watch: Watch, path: str, look: Look, *, patient: bool) -> Arrival | None:
    """Score one file; None while it may still be incomplete."""
    started, folder = time.perf_counter(), Store(str(watch.folder))
    (image,) = list_files(folder, [path])
    reason, scored = image.reason, None
    if image.status == USABLE:
        try:
            scored = watch.bank.score(read_image(folder, image), image.sha256)
        except ImageChangedError:
            return None
        except UnreadableImageError as error:
            image, reason = replace(image, status="unreadable"), str(error)
    if image.status == "unreadable" and patient:
        return None
    return table_row(watch, image, look, reason, scored, time.perf_counter() - started)


def table_row(
    watch: Watch,
    image: ListedImage,
    look: Look,
    reason: str,
    scored: tuple[float, tuple[float, float]] | None,
    seconds: float,
) -> Arrival:
    """One row of the table, as plain values; without a score for files that could not be scored."""
    raw, (peak_row, peak_column) = scored or (float("nan"), (-1, -1))
    flagged = raw >= watch.threshold
    return {
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "category": watch.bank.job.category,
        "path": image.path,
        "sha256": image.sha256,
        "status": image.status,
        "reason": reason,
        "raw_score": raw if scored else None,
        "decision": (FLAGGED if flagged else "accepted") if scored else "",
        "threshold": None if watch.threshold != watch.threshold else watch.threshold,
        "peak_x": int(peak_column * image.width) if scored else -1,
        "peak_y": int(peak_row * image.height) if scored else -1,
        "width": image.width,
        "height": image.height,
        "size": look[0],
        "modified_ns": look[1],
        "seconds": round(seconds, 4),
    }


def open_watch(request: WatchRequest, runner: Runner) -> Watch:
    """Make ready the references and the threshold; what earlier starts made is used again.

    Raises:
        ValueError: without references, or for options that need a whole lot.
        MemoryError: if the references do not fit the memory.
    """
    require_watchable(request)
    job = prepare(request)
    job = with_judged_good(job) if request.good_from_verdicts else job
    store = Store(job.store)
    require_writable(store)
    images, blocks = [], []
    good = runner.call("list", job.good.folder, list_good, job.good.folder, job.store) if job.good else None
    if good:
        job = replace(job, good=good)
        images = load_usable(store, good.listing)
    if request.ignore_drawn and not (job.region and job.region.ignored):
        log.warning("%s", none_drawn(job.category))
    if job.region:
        job = replace(job, region=keep_region(job.store, job.region, images, job.backbone))
    if good:
        blocks = extract_specs(good_job(job, good), good.listing, images)
        run_stage("extract", extract_block, blocks, runner)
    places = [(rows.block, row) for rows in earlier_references(job, [], blocks) for row in rows.rows]
    if not places:
        raise ValueError(f"references must hold at least one image, got none for {job.category}; add good photographs")
    held = [(spec.path, extracted_contents([spec], images[spec.start : spec.stop])) for spec in blocks]
    bank = open_bank(job, places, contents_of(store, places, held))
    identity = {"folder": job.folder, "category": job.category, "job": job.identity, "places": places}
    key = digest({**identity, "decisions": job.decisions.model_dump()})
    arrivals = Arrivals(store, f"{FOLDER}/{short_name(job.category, f'-{key[:8]}')}")
    return Watch(Path(job.folder), bank, arrivals, threshold_of(bank, arrivals))


def threshold_of(bank: Bank, arrivals: Arrivals) -> float:
    """The threshold given, or that of the references' own scores, which are kept in the store."""
    if bank.job.decisions.threshold is not None:
        return bank.job.decisions.threshold
    if len(bank.contents) < MIN_IMAGES:
        return float("nan")
    path = f"{arrivals.path}/references.json"
    if not arrivals.store.exists(path):
        scores = [float(score) for score in bank.own_scores()]
        arrivals.store.write(path, json.dumps({"raw_scores": scores, "job": bank.job.identity}).encode())
    scores = json.loads(arrivals.store.read(path))["raw_scores"]
    return decide(scores, bank.job.decisions, scores).threshold


def require_watchable(request: WatchRequest) -> None:
    """Refuse what cannot work image by image.

    Raises:
        ValueError: naming the option.
    """
    settings = request.settings
    if not (request.good or settings.references_from or request.good_from_verdicts):
        raise ValueError(
            "watch must have references, got none; give a folder of good photographs with good (--good), or an earlier "
            "run with references_from (--references-from)"
        )
    if settings.references is not None or settings.exclude_groups:
        raise ValueError("watch must go without references and exclude_groups, which need a whole lot; leave them out")
    if request.decisions.review_budget is not None:
        raise ValueError("watch must go without review_budget, which ranks a whole lot; leave it out")
    if settings.tile is not None or settings.keep_aspect:
        raise ValueError("watch must go without tile and keep_aspect, which look at a whole lot first; leave them out")
    if request.roi_folder or request.maps or request.export:
        raise ValueError(
            "watch must go without roi_folder, maps and export, got one of them; one mask can be given with roi"
        )
    if not Path(request.folder).is_dir():
        raise ValueError(f"folder must be an existing local folder, got {request.folder}; make it, or check the path")
