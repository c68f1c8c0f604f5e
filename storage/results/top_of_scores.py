"""The head of a run's score table, read without pandas, which takes as long to import as all else that shows a run."""

from dataclasses import dataclass, fields

from storage.results.runs import SCORES, Run
from storage.tables import first_rows


@dataclass(frozen=True)
class RankedImage:
    """A row of `scores.parquet`."""

    rank: int
    """From 1, the most anomalous."""
    path: str
    """In the lot's folder."""
    raw_score: float
    p_value: float
    score: float
    peak_x: int
    """Pixels of the original upright image."""
    peak_y: int
    decision: str
    group: int
    """0 for none."""


@dataclass(frozen=True)
class Ranking:
    """The most anomalous images of a run."""

    image_count: int
    """Images that were scored."""
    first: tuple[RankedImage, ...]


def read_ranking(run: Run, count: int) -> Ranking:
    """The `count` most anomalous images of a run, all of them where it has fewer."""
    names = [field.name for field in fields(RankedImage)]
    total, rows = first_rows(run.store, f"{run.path}/{SCORES}", names, count)
    return Ranking(total, tuple(RankedImage(*row) for row in rows))
