"""The threshold that somebody chose for a product, taken where the user gives none and scores are made as then."""

from dataclasses import replace

from planning.lot_job import LotJob, OfProduct
from storage.artefacts import digest
from storage.products.accepted_thresholds import AcceptedThreshold, latest_threshold
from storage.store import Store


def with_accepted_threshold(job: LotJob) -> LotJob:
    """A job with the threshold chosen for its product.

    Args:
        job: with all that raw scores depend on, its region of interest read.
    """
    found = latest_threshold(Store(job.store), job.category)
    if found is None or job.decisions.threshold is not None or not is_for(found[1], job):
        return job
    path, accepted = found
    decisions = job.decisions.changed(threshold=accepted.threshold)
    return replace(job, decisions=decisions, accepted_threshold=OfProduct(path, accepted.text))


def without_accepted_threshold(job: LotJob) -> LotJob:
    """A job that leaves the threshold to the rule, unless the user gave it."""
    if job.accepted_threshold is None:
        return job
    return replace(job, decisions=job.decisions.changed(threshold=None), accepted_threshold=None)


def is_for(accepted: AcceptedThreshold, job: LotJob) -> bool:
    """Whether raw scores of a job can be compared with those for which a threshold was chosen."""
    return accepted.scored_alike == digest(job.raw_score_identity)


def threshold_left_out(job: LotJob) -> str:
    """Why the threshold chosen for the product is not taken; empty where it is, or where another or none is to be."""
    found = latest_threshold(Store(job.store), job.category)
    if found is None or job.decisions.threshold is not None or is_for(found[1], job):
        return ""
    return (
        f"{found[1].text} is left out, since scores are made with other settings now; the rule decides, "
        "until one is chosen again on the review site"
    )
