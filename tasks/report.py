"""Report: one self-contained page about a finished run, made from what the store holds; it never changes a score."""

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from musc.decisions.rule import MIN_IMAGES
from storage.artefacts import MARKER, facts, is_complete, writing
from storage.results.profiles import read_appearance, read_profile
from storage.results.runs import REPORT, Run
from storage.store import Store
from tasks.planning.returns import Stored
from tasks.planning.run_record import DecisionRecord, RunRecord
from tasks.reporting.charts import histogram, trend
from tasks.reporting.drift import MIN_EARLIER, Compared, compare
from tasks.reporting.gallery import gallery_of
from tasks.reporting.heatmaps import overlay
from tasks.reporting.html import render
from tasks.reporting.run_view import FinishedRun
from tasks.reporting.specs import ReportSpec

MAX_ROWS = 5000
"""Images listed in the page's table; all are in scores.parquet."""
DARK = 1 / 16
"""Median brightness below which photographs are called nearly black; white in 12 of 16 bits is as bright."""
MAX_LEFT_OUT = 500
"""Files that were not scored listed in the page; all are in images.parquet."""


def write_report(spec: ReportSpec) -> Stored:
    """Make sure a run's page is stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        page = render(page_values(store, spec))
        with writing(store, spec.path) as staging:
            staging.facts["key"] = spec.key
            store.write(f"{staging.path}/{REPORT}", page.encode())
    return Stored(path=f"{spec.path}/{REPORT}")


def clear_outdated(spec: ReportSpec) -> None:
    """Make sure that a page made from something else is made anew; it stays in place until its successor is written."""
    store = Store(spec.store)
    if is_complete(store, spec.path) and facts(store, spec.path).get("key") != spec.key:
        store.delete(f"{spec.path}/{MARKER}")


def page_values(store: Store, spec: ReportSpec) -> dict[str, Any]:
    """All that the template shows."""
    found = FinishedRun(Run(store, spec.run), spec.folder)
    record, raw = found.record, found.scores["raw_score"].to_numpy()
    compared = compare(read_profile(store, spec.profile), [read_profile(store, path) for path in spec.earlier])
    left_out = found.run.images().query("status != 'ok'")
    decision, positions = record.decision, table_rows(found, read_appearance(store, spec.profile))
    return {
        "record": record,
        "decision": decision,
        "quoted_location": shlex.quote(store.location(spec.run)),
        "headline": headline(decision, len(raw)),
        "warnings": warnings_shown(record, positions, compared),
        "image_count": len(raw),
        "file_count": len(found.run.images()),
        "histogram": histogram(raw, found.flagged, decision.threshold),
        "limits": found.limits,
        "pixel_threshold": found.pixel_threshold,
        "colours": ", ".join(scale_colours()),
        "positions": positions,
        "rows": sorted(positions, key=lambda row: row["rank"])[:MAX_ROWS],
        "gallery": gallery_of(found),
        "groups": record.groups,
        "left_out": left_out.head(MAX_LEFT_OUT).to_dict("records"),
        "left_out_count": len(left_out),
        "compared": [(one, trend(one.earlier, one.value, one.median, one.allowance)) for one in compared],
        "earlier_count": len(spec.earlier),
        "fewest_earlier": MIN_EARLIER,
        "judgement": judgement(compared),
        "settings": settings_shown(record),
    }


def headline(decision: DecisionRecord, image_count: int) -> str:
    """The result in one sentence."""
    count = decision.flagged_count
    if count:
        return f"{count} of {image_count} images should be looked at" if count > 1 else "One image should be looked at"
    if not decision.separable and image_count < MIN_IMAGES:
        return f"{'1 image' if image_count == 1 else f'{image_count} images'} scored, too few to judge"
    if not decision.separable:
        return f"None of {image_count} images stands out"
    return f"None of {image_count} images reaches the threshold"


def warnings_shown(record: RunRecord, rows: Sequence[dict[str, Any]], compared: Sequence[Compared]) -> list[str]:
    """Every warning once: the run's own, and what is unusual."""
    return [*dict.fromkeys(record.warnings), *dark(rows), *(one.warning for one in compared if one.warning)]


def dark(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A warning if most photographs are nearly black."""
    brightness = pd.Series([row["brightness"] for row in rows]).median()
    if not brightness < DARK:
        return []
    return [
        f"Most photographs are nearly black: half of them have a brightness of at most {brightness:.3f} of 1. If they "
        "hold 10 or 12 bits in files of 16, scale them up first, as levels were lost; else look at lamp and camera."
    ]


def judgement(compared: Sequence[Compared]) -> str:
    """The comparison with earlier runs in two or three words."""
    states = [one.state for one in compared]
    if "unusual" in states:
        count = states.count("unusual")
        return f"{count} of {len(states)} measures unusual"
    return "as usual" if "usual" in states else "too few to judge"


def table_rows(found: FinishedRun, appearance: pd.DataFrame) -> list[dict[str, Any]]:
    """What the page says of every image, by position."""
    both = found.scores.merge(appearance, on="image_id", how="left", validate="one_to_one")
    return [{str(name): value for name, value in row.items()} for row in both.to_dict("records")]


def scale_colours() -> list[str]:
    """The colours of the scale from low to high, as the overlay shows them on a middle grey."""
    ramp = np.linspace(0, 1, 12)[None]
    grey = Image.new("RGB", (12, 1), (140, 140, 140))
    return ["#" + bytes(pixel).hex() for pixel in np.asarray(overlay(grey, ramp, 0, 1))[0]]


def settings_shown(record: RunRecord) -> list[tuple[str, str]]:
    """Settings and provenance as pairs of name and text."""
    backbone, decision = record.job.backbone, record.decision
    layers = listed([layer.number for layer in backbone.layers])
    settings = record.job.settings
    return [
        ("lot", record.job.lot),
        ("category", record.job.category),
        ("folder", record.job.folder),
        ("recorded", record.recorded),
        ("backbone", f"{backbone.name}, layers {layers}, {listed(backbone.image_size)} px"),
        *(("note", note) for note in record.notes),
        ("weights", f"{backbone.weights} ({backbone.weights_digest})"),
        ("degrees", listed(settings.degrees)),
        ("interval", listed(settings.interval)),
        ("RsCIN windows", listed(settings.rscin_windows)),
        ("subsets", str(record.job.subsets)),
        ("decision rule", decision.rule),
        (
            "expected false alarms",
            str(decision.expected_false_alarms if decision.fixed_threshold is None else "–"),
        ),
        ("review budget", "none" if decision.review_budget is None else str(decision.review_budget)),
        ("settings digest", record.settings_digest),
        ("run key", record.keys.run),
        ("listing key", record.keys.listing),
        ("versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
    ]


def listed(values: Sequence[Any]) -> str:
    """Values separated by commas."""
    return ", ".join(str(value) for value in values)
