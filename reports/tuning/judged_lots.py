"""The lots of a product that people judged, by which its settings are chosen."""

import logging
from dataclasses import dataclass

import pandas as pd

from planning.tuning.tuning_specs import MIN_OF_EACH
from reports.run_record import RunRecord, read_record
from storage.artefacts import is_complete
from storage.errors import DamagedError, FormatVersionError
from storage.results.runs import Run
from storage.results.verdict_reader import VerdictReader
from storage.results.verdicts import COLUMNS, DEFECTIVE, GOOD, looked_at
from storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JudgedLot:
    """A scored lot, and its photographs that people judged defective or good."""

    run: str
    record: RunRecord
    defective: tuple[str, ...]
    """SHA-256, sorted."""
    good: tuple[str, ...]


class TooFewVerdictsError(ValueError):
    """A product has too few verdicts to choose settings by."""


def judged_lots(store: Store, category: str, most: int) -> list[JudgedLot]:
    """The lots of a product with verdicts, the latest verdicts first; every photograph counts once, in its last lot.

    Runs that are gone, or were scored as tiles, are left out.

    Raises:
        TooFewVerdictsError: if they hold fewer than `MIN_OF_EACH` photographs of a kind, with the numbers missing.
    """
    tables = [table for table in VerdictReader(store).everything().values() if len(table)]
    every = pd.concat(tables) if tables else pd.DataFrame(columns=list(COLUMNS))
    latest = every[(every["category"] == category) & (every["undone_by"] == "")].sort_values("time", kind="stable")
    latest = looked_at(latest.drop_duplicates("sha256", keep="last"))
    latest = latest[latest["verdict"].isin([DEFECTIVE, GOOD])]
    lots: list[JudgedLot] = []
    for run in reversed(latest["run"].drop_duplicates(keep="last").tolist()):
        record = usable_record(store, run)
        if record is not None and len(lots) < most:
            of_run = latest[latest["run"] == run]
            kinds = [tuple(sorted(of_run.loc[of_run["verdict"] == kind, "sha256"])) for kind in (DEFECTIVE, GOOD)]
            lots.append(JudgedLot(run, record, *kinds))
    require_enough(lots, category)
    return lots


def usable_record(store: Store, run: str) -> RunRecord | None:
    """The record of a run that can be scored again with other settings; None if it is gone, or scored as tiles."""
    if not is_complete(store, run):
        return None
    try:
        record = read_record(Run(store, run))
    except (DamagedError, FormatVersionError) as error:
        log.warning("verdicts about %s are left out: %s", run, error)
        return None
    return record if record.job.settings.tile is None else None


def require_enough(lots: list[JudgedLot], category: str) -> None:
    """Refuse too few verdicts; see `judged_lots`."""
    counts = sum(len(lot.defective) for lot in lots), sum(len(lot.good) for lot in lots)
    missing = [
        f"{MIN_OF_EACH - count} more {kind}"
        for kind, count in zip((DEFECTIVE, GOOD), counts, strict=True)
        if count < MIN_OF_EACH
    ]
    if missing:
        raise TooFewVerdictsError(
            f"too few verdicts about {category}: there must be {MIN_OF_EACH} photographs judged defective and as many "
            f"judged good, got {counts[0]} and {counts[1]}; judge {' and '.join(missing)} on the review site (musc web)"
        )
