"""Check before any work that a request can succeed, for the command line and for deployments."""

from collections.abc import Callable

from planning.estimates.operations_and_bytes import project_cost
from planning.job_from_request import prepare
from planning.lot_job import LotJob
from planning.requests import LotRequest
from storage.images.listing import require_images
from storage.store import Store, require_writable


def require_feasible(request: LotRequest, complete: Callable[[LotJob], LotJob] | None = None) -> LotJob:
    """The job of a request, after checking that its store is writable, that it has images, and that they fit memory.

    Args:
        complete: adds to the job what needs other rooms, such as images that people judged good: with them one image is
            enough.

    Raises:
        OSError: if the store cannot be written.
        NoImagesError: if the folder holds too few files named like images.
        MemoryError: if not even one image fits the memory.
        ValueError: as `planning.job_from_request.prepare`.
    """
    job = prepare(request)
    require_writable(Store(job.store))
    job = complete(job) if complete else job
    require_images(job.folder, job.min_images, Store(job.store))
    project_cost(job, job.min_images)
    return job
