"""What people's verdicts say: how many, how well the tool did, and which threshold they suggest for lots alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from musc.decisions.decision_words import Decision
from musc.decisions.threshold_from_verdicts import Calibration, calibrate
from reports.run_record import RunRecord
from storage.artefacts import digest
from storage.results.verdicts import DEFECTIVE, GOOD, UNSURE, current_verdicts, looked_at

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class VerdictCounts:
    """Counts of images, of one run or several, by people's verdicts and the run's decisions."""

    defective: int = 0
    good: int = 0
    unsure: int = 0
    right: int = 0
    """Flagged or suspect, and judged defective."""
    wrong: int = 0
    """Flagged or suspect, and judged good: false alarms."""
    missed: int = 0
    """Accepted and judged defective."""
    unseen: int = 0
    """Judged, with many others, without a look at the image: counted here alone."""

    @property
    def count(self) -> int:
        """Images with a verdict that counts."""
        return self.defective + self.good + self.unsure + self.unseen

    @property
    def precision(self) -> float | None:
        """Fraction of the listed images judged defective or good that are defective; None if there are none."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    def __add__(self, other: "VerdictCounts") -> "VerdictCounts":
        names = self.__dataclass_fields__
        return VerdictCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


def count_verdicts(verdicts: "pd.DataFrame") -> VerdictCounts:
    """Count the verdicts about one run.

    Args:
        verdicts: every verdict, as `storage.verdicts` reads them; the latest about each image counts.
    """
    standing = current_verdicts(verdicts)
    current = looked_at(standing)
    verdict, listed = current["verdict"], current["decision"] != Decision.ACCEPTED
    bad, good = verdict == DEFECTIVE, verdict == GOOD
    return VerdictCounts(
        defective=int(bad.sum()),
        good=int(good.sum()),
        unsure=int((verdict == UNSURE).sum()),
        unseen=len(standing) - len(current),
        right=int((bad & listed).sum()),
        wrong=int((good & listed).sum()),
        missed=int((bad & ~listed).sum()),
    )


def scored_alike(record: RunRecord) -> str:
    """A digest of all that raw scores depend on besides the images: equal digests, comparable raw scores.

    Which earlier images served as references does not count, because it differs from night to night.
    """
    return digest(record.job.raw_score_identity)


def calibration_of(tables: Iterable["pd.DataFrame"]) -> tuple[Calibration | None, VerdictCounts]:
    """The curve fitted to the verdicts about runs that were scored alike, and how many there are.

    Args:
        tables: every verdict about each run. Of images judged in several runs each run's score counts.
    """
    known = list(tables)
    total = sum((count_verdicts(table) for table in known), VerdictCounts())
    clear = [clear_verdicts(table) for table in known]
    scores = np.concatenate([np.empty(0), *(rows["raw_score"].to_numpy(dtype=float) for rows in clear)])
    labels = np.concatenate([np.empty(0, bool), *((rows["verdict"] == DEFECTIVE).to_numpy() for rows in clear)])
    return calibrate(scores, labels.astype(bool)), total


def clear_verdicts(verdicts: "pd.DataFrame") -> "pd.DataFrame":
    """The standing verdicts that say defective or good of images that were looked at, by the images' paths.

    Args:
        verdicts: every verdict about a run.
    """
    current = looked_at(current_verdicts(verdicts))
    return current[current["verdict"].isin([DEFECTIVE, GOOD])].sort_values("path", ignore_index=True)
