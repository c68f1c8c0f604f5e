"""Repeat a past run from its record, features included, and say whether the scores are identical."""

from typing import Any

from prefect import flow

from flows.pipelines.reproduction import repeat
from flows.runners import PrefectRunner, one_at_a_time


@flow(name="rescore-run", flow_run_name="rescore {run}", task_runner=one_at_a_time())
def reproduce_run(run: str, folder: str | None = None, weights: str | None = None) -> dict[str, Any]:
    """Compute a past run again from the images and weights it names, in a store of its own that is then removed.

    Args:
        run: path or URL of the run's folder.
        folder: where the images lie now; where they lay unless given.
        weights: tag or local file; as recorded unless given.

    Returns:
        `identical`, the count `images`, `differing` (paths), `largest_difference` of a raw score, and `versions`, the
        packages that changed since.

    Raises:
        ImageChangedError: if images are gone or changed, naming them.
        ValueError: if the path is no run, or the weights are others, naming both digests.
        IncompleteError: if the run is not complete.
    """
    return repeat(run, folder, weights, PrefectRunner())
