"""A store's runs as nights: when each was, and what is unusual about it beside the earlier ones."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.results.profiles import choose_earlier
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


def unusual_of(runs: Sequence[StoredRun]) -> dict[str, tuple[Compared, ...]]:
    """What is unusual about each run beside the earlier ones scored in the same way, by its name."""
    of_series = defaultdict(list)
    for run in runs:
        if run.profile is not None:
            of_series[run.profile_path.rpartition("/")[0]].append(run)
    found: dict[str, tuple[Compared, ...]] = {}
    for series in of_series.values():
        before: list[dict[str, Any]] = []
        for run in sorted(series, key=lambda run: run.profile_path):
            profile = dict(run.profile or {})
            earlier = choose_earlier(profile, reversed(before), MAX_EARLIER)
            found[run.name] = tuple(one for one in compare(profile, earlier) if one.state == "unusual")
            before.append(profile)
    return found
