"""Report: one self-contained page about a finished run, made from the store's files; it changes no score."""

import logging
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from planning.task_results import StoredArtefact
from reports.description import describe_run
from reports.languages.catalogue import NAMES
from reports.languages.current import gettext as _
from reports.languages.current import speaking
from reports.notices import warnings_of
from reports.page.charts import histogram, trend
from reports.page.finished_run import FinishedRun
from reports.page.gallery import gallery_of
from reports.page.heatmaps import overlay
from reports.page.html import render
from reports.page.run_files_specs import CausesSpec, ExportSpec, ReportSpec
from reports.sentences import RAW_SCORES, headline, thresholds
from reports.unusual_nights import ENOUGH_EARLIER, MIN_EARLIER, MeasureComparison, compare
from storage.artefacts import facts, is_complete, make_incomplete, writing
from storage.results.profiles import read_appearance, read_profile
from storage.results.run_files import Language
from storage.results.runs import REPORT, REPORT_FOLDER, Run
from storage.results.site_address import read_site
from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


log = logging.getLogger(__name__)

MAX_ROWS = 5000
"""Images listed in the page's table; all are in scores.parquet."""
MAX_LEFT_OUT = 500
"""Files that were not scored listed in the page; all are in images.parquet."""


def write_report(spec: ReportSpec) -> StoredArtefact:
    """Make sure a run's page is stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        with speaking(spec.language):
            page = render(page_values(store, spec))
        with writing(store, spec.path) as staging:
            staging.facts.update(key=spec.key, language=spec.language)
            store.write(f"{staging.path}/{REPORT}", page.encode())
    return StoredArtefact(path=f"{spec.path}/{REPORT}")


def clear_outdated(spec: ReportSpec | ExportSpec | CausesSpec) -> None:
    """Let what was made from something else be made anew; it stays in place until its successor is written."""
    if is_outdated(spec):
        log.info("%s is outdated and is made again", spec.path)
        make_incomplete(Store(spec.store), spec.path)


def is_outdated(spec: ReportSpec | ExportSpec | CausesSpec) -> bool:
    """Whether there is a page, an export or a table of causes that was made from something else."""
    store = Store(spec.store)
    return is_complete(store, spec.path) and facts(store, spec.path).get("key") != spec.key


def language_of(run: Run) -> Language:
    """In which language the page of a run is; English where it has none."""
    path = f"{run.path}/{REPORT_FOLDER}"
    code = facts(run.store, path).get("language") if is_complete(run.store, path) else None
    return next((one for one in NAMES if one == code), "en")


def page_values(store: Store, spec: ReportSpec) -> dict[str, object]:
    """All that the template shows."""
    finished = FinishedRun(Run(store, spec.run), spec.folder)
    record, raw = finished.record, finished.scores["raw_score"].to_numpy()
    profile = read_profile(store, spec.profile)
    compared = compare(profile, [read_profile(store, path) for path in spec.earlier])
    left_out = finished.run.left_out()
    decision, positions = record.decision, table_rows(finished, read_appearance(store, spec.profile))
    return {
        "record": record,
        "decision": decision,
        "site": read_site(store),
        "run_name": spec.run.partition("/")[2],
        "quoted_store": shlex.quote(store.url),
        "quoted_location": shlex.quote(store.location(spec.run)),
        "headline": headline(decision, len(raw)),
        "warnings": warnings_of(record, profile, compared),
        "image_count": len(raw),
        "file_count": record.file_count,
        "raw_score": _(RAW_SCORES[record.job.settings.image_score]),
        "thresholds": thresholds(decision, record.accepted_threshold),
        "histogram": histogram(raw, finished.decisions, decision.threshold, decision.suspect_threshold),
        "limits": finished.limits,
        "pixel_threshold": finished.pixel_threshold,
        "colours": ", ".join(scale_colours()),
        "positions": positions,
        "listed": finished.ranked[:MAX_ROWS],
        "gallery": gallery_of(finished, finished.causes),
        "groups": record.groups,
        "left_out": left_out.head(MAX_LEFT_OUT).to_dict("records"),
        "left_out_count": len(left_out),
        "compared": [(item, trend(item.earlier, item.value, item.median, item.allowance)) for item in compared],
        "earlier_count": len(spec.earlier),
        "min_earlier": MIN_EARLIER,
        "enough_earlier": ENOUGH_EARLIER,
        "judgement": judgement(compared, len(spec.earlier)),
        "settings": describe_run(record),
    }


def judgement(compared: Sequence[MeasureComparison], earlier_count: int) -> str:
    """The comparison with earlier nights in a few words."""
    states = [comparison.state for comparison in compared]
    count, judged = states.count("unusual"), len(states) - states.count("unknown")
    if not judged:
        return _("too few to judge")
    text = _("%(count)s of %(judged)s measures unusual", count=count, judged=judged) if count else _("as usual")
    if earlier_count >= ENOUGH_EARLIER:
        return text
    return _("%(result)s, compared with %(count)s nights only", result=text, count=earlier_count)


def table_rows(finished: FinishedRun, appearance: "pd.DataFrame") -> list[dict[str, object]]:
    """What the page says of every image, by position."""
    table = finished.scores.merge(appearance, on="image_id", how="left", validate="one_to_one")
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def scale_colours() -> list[str]:
    """The colours of the scale from low to high, as the overlay shows them on a middle grey."""
    ramp = np.linspace(0, 1, 12)[None]
    grey = Image.new("RGB", (12, 1), (140, 140, 140))
    return ["#" + bytes(pixel).hex() for pixel in np.asarray(overlay(grey, ramp, 0, 1))[0]]
