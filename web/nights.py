"""A store's runs as nights: when each was, and what is unusual about it beside the earlier ones."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
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


class UnusualNights:
    """What is unusual about each run beside the earlier ones scored in the same way.

    It depends on earlier nights alone, so that a new night is compared and the ones before it are not compared again.
    """

    def __init__(self) -> None:
        self._compared: dict[str, list[tuple[StoredRun, tuple[MeasureComparison, ...]]]] = {}

    def of(self, runs: Iterable[StoredRun]) -> dict[str, tuple[MeasureComparison, ...]]:
        """What is unusual about each of all runs of a store, by its name."""
        of_series = defaultdict(list)
        for run in runs:
            if run.profile is not None:
                of_series[run.profile.path.rpartition("/")[0]].append(run)
        self._compared = {
            series: compared(sorted(nights, key=lambda run: run.profile_path), self._compared.get(series, []))
            for series, nights in of_series.items()
        }
        return {run.name: unusual for nights in self._compared.values() for run, unusual in nights}


def compared(
    nights: Sequence[StoredRun], known: Sequence[tuple[StoredRun, tuple[MeasureComparison, ...]]]
) -> list[tuple[StoredRun, tuple[MeasureComparison, ...]]]:
    """Each night of a series with what is unusual about it.

    Args:
        nights: oldest first; runs with a profile.
        known: what came out before, of which the nights from the first to the first other one are taken.
    """
    profiles = [run.profile for run in nights if run.profile]
    done: list[tuple[StoredRun, tuple[MeasureComparison, ...]]] = []
    for run, before in zip(nights, known, strict=False):
        if (run.name, run.profile_path) != (before[0].name, before[0].profile_path):
            break
        done.append(before)
    for place in range(len(done), len(nights)):
        earlier = choose_earlier(
            names_of(profiles[place]), (profiles[other] for other in range(place - 1, -1, -1)), MAX_EARLIER
        )
        unusual = (one for one in compare(profiles[place], earlier) if one.state == "unusual")
        done.append((nights[place], tuple(unusual)))
    return done
