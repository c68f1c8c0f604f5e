"""Reproduce a past run from its record, features included, and say whether the scores are identical."""

from prefect import flow

from flows.one_thread import one_at_a_time
from flows.pipelines.reproduction import reproduce
from flows.runners import PrefectRunner
from reports.recorded_job import Reproduction


@flow(name="reproduce-run", flow_run_name="reproduce {run}", task_runner=one_at_a_time())
def reproduce_run(run: str, folder: str | None = None, weights: str | None = None) -> Reproduction:
    """Compute a past run again from the images and weights it names, in a store of its own that is then removed.

    Args:
        run: path or URL of the run's folder.
        folder: current folder of the images; the recorded one unless given.
        weights: tag or local file; as recorded unless given.

    Returns:
        How both compare, image by image.

    Raises:
        ImageChangedError: if images are gone or changed, naming them.
        ValueError: if the path is no run, or the weights are others, naming both digests.
        IncompleteError: if the run is not complete.
    """
    return reproduce(run, folder, weights, PrefectRunner())
