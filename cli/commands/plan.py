"""`musc plan`: what scoring a folder would cost."""

from collections.abc import Callable
from functools import partial
from math import prod

from cli.options_from_fields import Given
from cli.terminal.progress import watching
from planning.requests import LotRequest, request_of
from tasks.runtime.progress import doing

TRIALS = "trials of some seconds in this process; nothing is scored or stored"


def run(given: Given) -> None:
    """Count the images, add up, try what takes long, and print."""
    from cli.terminal.what_is_scored import announce, subject_of

    request = request_of(LotRequest, given)
    announce(subject_of(request), TRIALS)
    with watching():
        show = planned(request)
    show()


def planned(request: LotRequest) -> Callable[[], None]:
    """Add up what scoring would cost; what is returned prints it."""
    from cli.terminal.tables import show_plan
    from musc.plan.lot_as_tiles import tile_layout
    from planning.estimates.operations_and_bytes import project_cost
    from planning.estimates.time_and_memory import forecast
    from planning.job_from_request import prepare
    from planning.sizes.size_hints import size_hints
    from reports.references import earlier_references
    from reports.verdicts.known_good import with_judged_good
    from storage.images.least_images import require_enough
    from storage.images.listing import list_folder
    from storage.images.lots import usable_images

    job = prepare(request)
    job = with_judged_good(job) if request.good_from_verdicts else job
    images = list_folder(job.folder)
    require_enough(images, job.folder, job.min_images)
    usable = usable_images(images)
    layout = tile_layout(job.settings, usable)
    earlier = sum(len(rows.rows) for rows in earlier_references(job, usable))
    good = len(usable_images(list_folder(job.good.folder))) if job.good else 0
    cost = project_cost(job, prod(layout) * len(usable), earlier + good, layout)
    doing("trying how fast this machine is …")
    return partial(show_plan, cost, job, forecast(cost, job, usable), size_hints(job, usable))
