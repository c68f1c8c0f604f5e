"""A store's runs as nights: when each was, and what is unusual about it beside the earlier ones."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from reports.run_record import RunRecord
from reports.unusual_nights import MAX_EARLIER, MeasureComparison, compare
from storage.results.profiles import Profile, choose_earlier, names_of
from storage.results.runs import FOLDER as RUNS


@dataclass(frozen=True)
class StoredRun:
    """A finished run, as its record tells."""

    name: str
    """Of its folder."""
    record: RunRecord
    profile: Profile | None
    """The numbers it is compared by; None if it has none."""
    has_report: bool

    @property
    def path(self) -> str:
        """In the store."""
        return f"{RUNS}/{self.name}"

    @property
    def profile_path(self) -> str:
        """In the store; empty if the run has no profile."""
        return self.profile.path if self.profile else ""


def unusual_of(runs: Sequence[StoredRun]) -> dict[str, tuple[MeasureComparison, ...]]:
    """What is unusual about each run beside the earlier ones scored in the same way, by its name."""
    of_series = defaultdict(list)
    for run in runs:
        if run.profile is not None:
            of_series[run.profile.path.rpartition("/")[0]].append((run.name, run.profile))
    unusual: dict[str, tuple[MeasureComparison, ...]] = {}
    for series in of_series.values():
        earlier_profiles: list[Profile] = []
        for name, profile in sorted(series, key=lambda item: item[1].path):
            earlier = choose_earlier(names_of(profile), reversed(earlier_profiles), MAX_EARLIER)
            unusual[name] = tuple(item for item in compare(profile, earlier) if item.state == "unusual")
            earlier_profiles.append(profile)
    return unusual
