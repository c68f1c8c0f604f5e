"""The flight check: everything that tonight depends on, looked at on the machine that will run it.

Nothing here knows Prefect. No check stops another, and nothing is left in the store: no night, no lot, no run.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import date
from functools import cache

from flows.devices.names import DeviceBusyError
from flows.pipelines.lot import score_folder
from planning.job_from_request import prepare
from planning.nights.check_lines import CheckLine, FlightCheck, Level, ok, warning
from planning.requests import LotRequest, NightRequest
from tasks.flight_check.drawn_photographs import RESULTS, draw, put, scratch
from tasks.flight_check.looking import PATIENCE_SECONDS, look
from tasks.flight_check.lots import check_newest_lot, check_root, newest_lot, newest_record
from tasks.flight_check.network import check_device, check_weights
from tasks.flight_check.server import Api, check_database, check_server, seconds_ahead
from tasks.flight_check.store import check_clock, check_disk, check_store
from tasks.runtime.runner import InlineRunner, Runner

log = logging.getLogger(__name__)

Holding = Callable[[NightRequest], AbstractContextManager[None]]
"""Keeps the devices of a request to this check while it computes, or raises `DeviceBusyError`."""

LEVELS = {Level.OK: logging.INFO, Level.WARNING: logging.WARNING, Level.FAILS: logging.ERROR}
"""Of a line in the log."""


class CheckFailedError(RuntimeError):
    """Some checks fail; all have been made."""

    def __init__(self, check: FlightCheck) -> None:
        failed = "; ".join(f"{line.what}: {line.value}" for line in check.with_level(Level.FAILS))
        super().__init__(f"{check.headline}. {failed}")
        self.check = check


def without_limit(request: NightRequest) -> AbstractContextManager[None]:
    """No device is kept to anybody."""
    return nullcontext()


def flight_check(request: NightRequest, api: Api | None, holding: Holding = without_limit) -> FlightCheck:
    """Make every check; the options are those of the night.

    Args:
        api: of Prefect's server; None if none is configured.
        holding: what keeps the devices to this check.
    """
    root, output, category, today = request.root, request.output, request.category, date.today()
    newest = cache(lambda: newest_record(root, category, output))  # read by a check, as the root may hang
    checks = {
        "root": lambda: check_root(root, output, category),
        "newest lot": lambda: check_newest_lot(root, category, today),
        "store": lambda: check_store(root, output),
        "disk": lambda: check_disk(request, today),
        "clock": lambda: check_clock(root, category, output, seconds_ahead(api), today),
        "weights": lambda: check_weights(request, newest()),
        "device": lambda: check_device(request, newest()),
        "server": lambda: check_server(api),
        "database": lambda: check_database(api),
    }
    lines = [look(what, check) for what, check in checks.items()]
    patience = PATIENCE_SECONDS if lines[0].level == Level.FAILS else None  # a root that hangs would hang again
    lines.append(look("photographs", lambda: check_photographs(request, holding), patience))
    for line in lines:
        log.log(LEVELS[line.level], "%s", line.text)
    return FlightCheck(root, tuple(lines))


def check_photographs(request: NightRequest, holding: Holding = without_limit) -> CheckLine:
    """Score four photographs of the newest lot in a place of their own, from reading to the report."""
    found = newest_lot(request.root, request.category)
    drawn = draw(found)
    with ExitStack() as stack:
        try:
            stack.enter_context(holding(request))
        except DeviceBusyError as busy:
            return warning("photographs", f"none was scored: the check {busy}", "check again when that run has ended")
        began, place = time.perf_counter(), stack.enter_context(scratch(request))
        one = sample_request(request, found.folder, found.lot, found.category)
        done = score_folder(
            one.changed(folder=put(drawn, place), output=place.location(RESULTS)), silent_runner(request)
        )
    names = f"{', '.join(drawn)} of {found.category}/{found.name}"
    text = f"{done.images} of {len(drawn)} scored in {time.perf_counter() - began:.1f} s: {names}"
    if done.images < len(drawn):
        return warning("photographs", f"{text}; left out: {done.left_out}", "see whether these files are whole")
    if done.problems:
        return warning("photographs", f"{text}; {'; '.join(done.problems)}", "see what was not made")
    return ok("photographs", text)


def sample_request(request: NightRequest, folder: str, lot: str, category: str) -> LotRequest:
    """The lot as tonight would score it, without what of the store belongs to all of its photographs."""
    alone = request.changed(
        good_from_verdicts=False,
        ignore_drawn=False,
        settings=request.settings.changed(references_from=()),
        resources=request.resources.changed(engine=request.resources.named_engine or "inline"),
    )
    accepted = prepare(alone.lot(folder, lot, category), images=()).settings
    own = {name: getattr(accepted, name) for name in type(alone.settings).model_fields}
    if request.settings.keep_aspect:
        own["image_size"] = request.settings.image_size
    return alone.changed(settings=alone.settings.changed(**own), default_settings=True).lot(folder, lot, category)


def silent_runner(request: NightRequest) -> Runner:
    """What computes, and tells nobody: no run, artifact or event of a lot comes of a check."""
    if request.resources.named_engine == "dask":
        from flows.dask_runner import DaskRunner

        return DaskRunner()
    return InlineRunner()
