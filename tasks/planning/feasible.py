"""Check before any work that a request can succeed, for the command line and for deployments."""

from storage.images.listing import require_images
from storage.store import Store, require_writable
from tasks.planning.estimate import project_cost
from tasks.planning.job import prepare
from tasks.planning.lot_job import LotJob
from tasks.planning.requests import LotRequest


def require_feasible(request: LotRequest) -> LotJob:
    """The job of a request, after checking that its store is writable, that it has images, and that they fit memory.

    Raises:
        OSError: if the store cannot be written.
        NoImagesError: if the folder holds too few files named like images.
        MemoryError: if not even one image fits the memory.
        ValueError: as `tasks.planning.job.prepare`.
    """
    job = prepare(request)
    require_writable(Store(job.store))
    require_images(job.folder, job.min_images)
    project_cost(job, job.min_images)
    return job
