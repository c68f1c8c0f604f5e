"""What a threshold would have listed in a product's last nights, and which one its next nights take."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd

from reports.languages.current import gettext as _
from reports.languages.sentences import translated
from reports.run_record import RunRecord, night_of
from reports.verdicts.counts import clear_verdicts, scored_alike
from storage.errors import DamagedError, FormatVersionError
from storage.products.accepted_thresholds import AcceptedThreshold, add_threshold, latest_threshold
from storage.results.verdicts import DEFECTIVE
from storage.store import Store
from web.judging.form import sent_object, text_of
from web.nights import StoredRun
from web.store_cache import Library

NIGHTS = 10
"""The last ones that a threshold is tried on."""


class NightRow(TypedDict):
    """What a threshold lists in one night, as plain JSON values."""

    run: str
    """Name of the run."""
    lot: str
    date: str
    images: int
    listed: int
    """At or above the threshold."""
    found: int
    """Of these those judged defective."""
    missed: int
    """Judged defective, and below it."""
    false: int
    """Judged good, and at or above it."""
    then: int
    """Flagged and suspect images when the night was scored."""


class InUse(TypedDict):
    """Which threshold a product's next nights take."""

    text: str
    own: bool
    """Whether somebody chose it."""


def nights_alike(runs: Mapping[str, StoredRun], record: RunRecord) -> list[StoredRun]:
    """A product's last nights with raw scores that can be compared with a run's, each once, the newest first."""
    alike = scored_alike(record)
    own = [
        run
        for run in runs.values()
        if run.record.job.category == record.job.category
        and run.record.job.dataset == record.job.dataset
        and scored_alike(run.record) == alike
    ]
    newest = sorted(own, key=lambda run: (night_of(run.record), run.record.recorded), reverse=True)
    return list({run.record.keys.listing: run for run in reversed(newest)}.values())[::-1][:NIGHTS]


def night_rows(library: Library, nights: Sequence[StoredRun], threshold: float) -> list[NightRow]:
    """What a threshold lists in each night; of verdicts those about images that were looked at count."""
    verdicts = library.verdicts.everything()
    return [night_row(run, library.raw_scores(run), verdicts.get(run.path), threshold) for run in nights]


def night_row(run: StoredRun, raw_scores: np.ndarray, verdicts: pd.DataFrame | None, threshold: float) -> NightRow:
    """What a threshold lists in one night.

    Args:
        raw_scores: (N,), ascending.
        verdicts: every verdict about the run; None where there is none.
    """
    clear = clear_verdicts(verdicts) if verdicts is not None else pd.DataFrame({"verdict": [], "raw_score": []})
    defective, listed = clear["verdict"] == DEFECTIVE, clear["raw_score"].astype(float) >= threshold
    return NightRow(
        run=run.name,
        lot=run.record.job.lot,
        date=night_of(run.record),
        images=len(raw_scores),
        listed=int(len(raw_scores) - np.searchsorted(raw_scores, threshold)),
        found=int((defective & listed).sum()),
        missed=int((defective & ~listed).sum()),
        false=int((~defective & listed).sum()),
        then=run.record.decision.listed_count,
    )


def threshold_in_use(store: Store, record: RunRecord) -> InUse:
    """Which threshold the next nights of a run's product take, in words."""
    try:
        found = latest_threshold(store, record.job.category)
    except (DamagedError, FormatVersionError) as error:
        return InUse(text=_("unknown: %(error)s", error=error), own=True)
    if found is None:
        return InUse(text=_("the rule’s"), own=False)
    text = translated(found[1].text)
    if found[1].scored_alike != scored_alike(record):
        text = _("%(threshold)s; it is not for scores as these are", threshold=text)
    return InUse(text=text, own=True)


def asked_threshold(text: str) -> float:
    """A threshold in an address.

    Raises:
        ValueError: if it is no finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"threshold must be a raw score, got {text[:40]!r}; move the slider")
    return value


def change_threshold(library: Library, body: bytes, run: StoredRun, nights: Sequence[StoredRun]) -> InUse:
    """Choose the threshold of a run's product, or go back to the rule's, as the body of a request says.

    Args:
        nights: those whose verdicts are counted.

    Raises:
        ValueError: if it is no JSON object, names nobody or no raw score, or the run is one of a benchmark.
    """
    sent = sent_object(body)
    name, threshold, record = text_of(sent, "name").strip(), sent.get("threshold"), run.record
    if "threshold" not in sent or isinstance(threshold, bool) or not isinstance(threshold, float | int | None):
        raise ValueError(f"threshold must be a raw score, or null for the rule's, got {json.dumps(threshold)[:40]}")
    if record.job.dataset:
        raise ValueError(f"threshold must be of a product, got the benchmark {record.job.dataset}; it has no nights")
    tables = [table for night in nights if (table := library.verdicts.everything().get(night.path)) is not None]
    judged = [bool(said) for table in tables for said in clear_verdicts(table)["verdict"] == DEFECTIVE]
    accepted = AcceptedThreshold(
        category=record.job.category,
        threshold=None if threshold is None else asked_threshold(str(threshold)),
        scored_alike=scored_alike(record),
        run=run.path,
        name=name,
        defective=sum(judged),
        good=len(judged) - sum(judged),
    )
    add_threshold(library.store, accepted)
    return threshold_in_use(library.store, record)
