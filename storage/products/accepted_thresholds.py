"""The threshold that somebody chose for a product, append-only: the latest file counts, one without any goes back.

`thresholds/<product>/<time>-<random>.json` holds one JSON object, the fields of `AcceptedThreshold`.
"""

import math
from dataclasses import asdict, dataclass, field, replace

from storage.local_time import local_time
from storage.results.append_only_files import add_dated, dated_files, now, read_dated, time_after
from storage.results.verdicts import MAX_NAME
from storage.store import Store

FOLDER = "thresholds"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class AcceptedThreshold:
    """From which raw score on images of a product are flagged, by whom, and for which scores."""

    category: str
    threshold: float | None
    """None for the rule's again."""
    scored_alike: str
    """Digest of all that raw scores depend on besides the images: for other scores the threshold means nothing."""
    run: str
    """Path of the run on whose page it was chosen."""
    name: str
    """Who chose it."""
    defective: int = 0
    """Verdicts that were known then, about lots scored alike."""
    good: int = 0
    time: str = field(default_factory=now)
    """UTC, ISO 8601 with microseconds."""

    def __post_init__(self) -> None:
        """Refuse what nobody can have chosen.

        Raises:
            ValueError: naming the field, its rule and what was given.
        """
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise ValueError(f"name must have 1 to {MAX_NAME} characters, got {len(self.name)}; say who chooses")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ValueError(f"threshold must be a raw score, a finite number, got {self.threshold}; choose another")

    @property
    def text(self) -> str:
        """Which threshold it is, and from whom.

        >>> AcceptedThreshold("cap", 0.25, "", "", "Ann", time="2026-11-28T12:00:00+00:00").text[:46]
        'the threshold 0.2500 of cap, accepted by Ann o'
        """
        time = local_time(self.time)
        if self.threshold is None:
            return f"the rule’s threshold of {self.category}, by {self.name} on {time}"
        verdicts = f"verdicts about {self.defective} defective and {self.good} good photographs"
        accepted = f"accepted by {self.name} on {time}"
        return f"the threshold {self.threshold:.4f} of {self.category}, {accepted}, with {verdicts}"


def add_threshold(store: Store, accepted: AcceptedThreshold) -> str:
    """Store a threshold as a file of its own, which counts from now on, and return its path in the store."""
    files = threshold_files(store, accepted.category)
    before = read_threshold(store, files[-1]).time if files else ""
    accepted = replace(accepted, time=time_after(before, accepted.time))
    return add_dated(store, f"{FOLDER}/{accepted.category}", accepted.time, asdict(accepted), FORMAT_VERSION)


def threshold_files(store: Store, category: str) -> list[str]:
    """Paths of all thresholds ever chosen for a product, the latest last."""
    return dated_files(store, f"{FOLDER}/{category}")


def latest_threshold(store: Store, category: str) -> tuple[str, AcceptedThreshold] | None:
    """The threshold of a product that counts, and its path in the store; None where the rule decides.

    Raises:
        FormatVersionError: if another release wrote it.
        DamagedError: if the file holds something else.
    """
    files = threshold_files(store, category)
    latest = read_threshold(store, files[-1]) if files else None
    return (files[-1], latest) if latest and latest.threshold is not None else None


def read_threshold(store: Store, path: str) -> AcceptedThreshold:
    """A threshold at a path; errors are those of `latest_threshold`."""
    return read_dated(
        store, path, FORMAT_VERSION, lambda fields: AcceptedThreshold(**fields), "the threshold of a product"
    )
