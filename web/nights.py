"""A store's runs as nights: when each was, and what is unusual about it beside the earlier ones."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.images.lot_tree import date_of
from storage.results.runs import FOLDER as RUNS
from tasks.planning.run_record import RunRecord
from tasks.reporting.drift import MAX_EARLIER, Compared, compare


@dataclass(frozen=True)
class StoredRun:
    """A finished run, as its record tells."""

    name: str
    """Of its folder."""
    record: RunRecord
    profile: dict[str, Any] | None
    """The numbers it is compared by; None if it has none."""
    profile_path: str
    has_report: bool

    @property
    def path(self) -> str:
        """In the store."""
        return f"{RUNS}/{self.name}"


def night_of(record: RunRecord) -> str:
    """The date at the beginning of a lot's name, the product left out; else the day the run was recorded."""
    found = date_of(record.job.lot.removeprefix(f"{record.job.category}-"))
    return found.isoformat() if found else record.recorded[:10]


def unusual_of(runs: Sequence[StoredRun]) -> dict[str, tuple[Compared, ...]]:
    """What is unusual about each run beside the earlier ones scored in the same way, by its name."""
    of_series = defaultdict(list)
    for run in runs:
        if run.profile is not None:
            of_series[run.profile_path.rpartition("/")[0]].append(run)
    found: dict[str, tuple[Compared, ...]] = {}
    for series in of_series.values():
        earlier: dict[str, dict[str, Any]] = {}
        for run in sorted(series, key=lambda run: (night_of(run.record), run.profile_path)):
            profile = dict(run.profile or {})
            others = [known for listing, known in earlier.items() if listing != profile["listing"]]
            found[run.name] = tuple(one for one in compare(profile, others[-MAX_EARLIER:]) if one.state == "unusual")
            earlier.pop(profile["listing"], None)
            earlier[profile["listing"]] = profile
    return found
