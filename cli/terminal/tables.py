"""Results as tables on the console. What would load torch, or pandas for a run, is imported where it is needed."""

import re
import shlex
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, get_args

from rich.cells import cell_len
from rich.table import Table

from cli.terminal.escaping import literal, visible
from cli.terminal.progress import PLAIN_WIDTH, console
from reports.description import sizes_in_words
from reports.notices import Notices, notices_of
from reports.run_record import RunRecord, read_record
from reports.sentences import counted, headline, p_text, thresholds
from storage.artefacts import is_complete
from storage.disk_space import readable_bytes
from storage.results.run_files import ExportKind, MapKind, export_folder, maps_folder
from storage.results.runs import CONTENTS, REPORT, REPORT_FOLDER, Run, locate
from storage.results.runs import FOLDER as RUNS
from storage.results.top_of_scores import Ranking, read_ranking
from storage.store import Store
from storage.tables import BENCHMARKS, read_table
from storage.tables import METRICS_TABLE as TABLE

if TYPE_CHECKING:
    import pandas as pd

    from musc.plan.cost import ProjectedCost
    from planning.estimates.time_and_memory import Forecast
    from planning.lot_job import LotJob

ROWS_SHOWN = 10
LEFT_OUT_FIRST = ("score", "peak at x, y", "p", "group")
"""Columns of the most anomalous images that narrow windows do without, in this order."""
METRICS_SHOWN = 8
"""Columns of metrics in one table; a line of 120 characters holds as many."""


def show_run(store_url: str, run_path: str, problems: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
    """Print the most anomalous images of a run, what to look at, warnings, files left out, and where it all lies.

    Args:
        problems: what went wrong after the scores were complete.
        notes: what was done otherwise than asked for.
    """
    run = Run(Store(store_url), run_path)
    ranked, record = read_ranking(run, ROWS_SHOWN), read_record(run)
    console.print(ranking(ranked, console.width))
    show_backbone(record)
    show_decision(ranked.image_count, record, notices_of(run.store, record))
    for note in notes:
        console.print(visible(f"note: {note}"), soft_wrap=True, markup=False, highlight=False)
    if record.left_out:
        was = "was" if record.left_out_count == 1 else "were"
        counts = f"{record.left_out_count:,} of {counted(record.file_count, 'file')} {was} not scored"
        console.print(f"{counts} ({record.left_out}); images.parquet says why.")
    console.print("Results in", style="bold", end=" ")
    console.print(run.store.location(run.path), soft_wrap=True, markup=False, highlight=False)
    files = contents(run)
    width = max(map(len, files))
    for name, what in files.items():
        console.print(f"  {name:<{width}}  {what}", highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(visible(f"warning: {problem}"), soft_wrap=True, markup=False, highlight=False)
    report = run.report()
    if report:
        console.print("Report in", style="bold", end=" ")
        console.print(report, soft_wrap=True, markup=False, highlight=False)
    else:
        console.print("There is no report; score the lot again to make one, nothing else is computed anew.")
    console.print(f"To look closer and to judge parts: musc web {shlex.quote(store_url)}", soft_wrap=True, markup=False)


def contents(run: Run) -> dict[str, str]:
    """What lies in a run's folder, and what each file or folder holds; runs of earlier releases lack some."""
    maps = {maps_folder(kind): f"anomaly maps as {kind} files" for kind in get_args(MapKind)}
    made = maps | {export_folder(kind): f"results as {kind}" for kind in get_args(ExportKind)}
    return {name: what for name, what in CONTENTS.items() if run.store.exists(f"{run.path}/{name}")} | {
        name: what for name, what in made.items() if is_complete(run.store, f"{run.path}/{name}")
    }


def show_backbone(record: RunRecord) -> None:
    """Print which network's features were compared, at which size, and what should be known of that choice."""
    kept = "; ".join(size.text for size in record.job.kept_sizes)
    size = kept or f"{sizes_in_words(record.job)} pixels"
    console.print(f"Scored with {literal(record.job.backbone.name)} at {literal(size)}.", highlight=False)
    if record.job.flaw_size:
        console.print(visible(f"Size chosen: {record.job.flaw_size.text}."), markup=False, highlight=False)
    if record.job.of_product:
        text = f"These are {record.job.of_product.text}. --default-settings scores without them."
        console.print(visible(text), markup=False, highlight=False)
    for note in record.notes:
        console.print(visible(note), markup=False, highlight=False)


def show_decision(image_count: int, record: RunRecord, notices: Notices) -> None:
    """Print what is to be looked at, from which raw scores on, and every warning, as the page has them."""
    decision = record.decision
    console.print(f"{headline(decision, image_count)}.", style="bold", highlight=False)
    if decision.remark:
        console.print(visible(decision.remark), markup=False, highlight=False)
    console.print(visible(thresholds(decision, record.accepted_threshold)), markup=False, highlight=False)
    for warning in notices.warnings:
        console.print("Warning:", style="bold yellow", end=" ")
        console.print(visible(warning), markup=False, highlight=False)


def show_benchmark(store_url: str, path: str) -> None:
    """Print a benchmark's table for each backbone, and where it lies."""
    from reports.evaluation.comparison_table import caption, describe_not_read, describe_without_masks, result_table

    store = Store(store_url)
    metrics = read_table(store, path)
    for (backbone, image_size), _ in metrics.groupby(["backbone", "image_size"], sort=False):
        console.print(
            f"{backbone}, maps and masks compared at {image_size} pixels; {caption(metrics, str(backbone))}",
            markup=False,
        )
        for table in metric_tables(result_table(metrics, str(backbone))):
            console.print(table)
        for sentence in describe_without_masks(metrics, str(backbone)):
            console.print(visible(sentence), markup=False, highlight=False)
    for sentence in describe_not_read(metrics):
        console.print(visible(sentence), markup=False, highlight=False)
    console.print("Results in", style="bold", end=" ")
    console.print(store.location(path), soft_wrap=True, markup=False, highlight=False)


def show_plan(plan: "ProjectedCost", job: "LotJob", here: "Forecast", hints: Sequence[str]) -> None:
    """Print what scoring a lot would cost, what it takes here, and which options its photographs suggest."""
    from planning.estimates.operations_and_bytes import cost_rows

    sizes = sizes_in_words(job)
    table = Table(
        title=f"Scoring {literal(job.lot)} with {literal(job.backbone.name)} at {sizes} pixels", show_header=False
    )
    for row in cost_rows(plan, job):
        table.add_row(*row.values())
    table.add_row("memory of the process", readable_bytes(here.process_bytes))
    extraction, scoring = here.extraction_seconds, here.scoring_seconds
    unknown = "not known, as the network's weights are not here"
    table.add_row("time of extraction here", unknown if extraction is None else duration(extraction))
    table.add_row("time of scoring here", f"{duration(scoring)}; both at the present load, as if nothing was stored")
    console.print(table)
    for hint in hints:
        console.print(visible(f"hint: {hint}"), soft_wrap=True, markup=False, highlight=False)


def duration(seconds: float) -> str:
    """A time as people read it.

    >>> duration(7.2), duration(300), duration(20_000)
    ('7 s', '5 min', '5.6 h')
    """
    if seconds < 120:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def show_stored(location: str) -> None:
    """Print what lies in the folder of a run or a benchmark, of which the page or table may be named too.

    Raises:
        ValueError: if the folder lies in no store's `runs` or `benchmarks`, or is not there.
        IncompleteError: if the run is not complete, naming what is missing.
    """
    folder = location.rstrip("/").removesuffix(f"/{TABLE}").removesuffix(f"/{REPORT_FOLDER}/{REPORT}")
    store, path = locate(folder, (RUNS, BENCHMARKS))
    if path.startswith(f"{RUNS}/"):
        show_run(store.url, path)
    else:
        show_benchmark(store.url, f"{path}/{TABLE}")


def metric_tables(rows: "pd.DataFrame") -> list[Table]:
    """A benchmark's rows, the column `category` and one for each metric, as tables narrow enough to be read."""
    metrics = [str(heading) for heading in rows.columns if heading != "category"]
    in_each = ceil(len(metrics) / ceil(len(metrics) / METRICS_SHOWN))
    tables = []
    for start in range(0, len(metrics), in_each):
        table = Table()
        table.add_column("category", no_wrap=True)
        part = metrics[start : start + in_each]
        for metric in part:
            table.add_column(re.sub(r"(\d)_(\d)", r"\1.\2", metric).replace("_", " "), justify="right")
        for values in rows[["category", *part]].itertuples(index=False):
            table.add_row(*(literal(str(value)) for value in values))
        tables.append(table)
    return tables


def ranking(ranked: Ranking, room: int = PLAIN_WIDTH) -> Table:
    """The most anomalous images, without the columns that would break their names.

    Args:
        room: characters of a line.
    """
    cells: dict[str, list[str]] = {
        "rank": [str(image.rank) for image in ranked.first],
        "image": [literal(image.path) for image in ranked.first],
        "raw score": [f"{image.raw_score:.4f}" for image in ranked.first],
        "p": [p_text(image.p_value) for image in ranked.first],
        "score": [f"{image.score:.4f}" for image in ranked.first],
        "peak at x, y": [f"{image.peak_x}, {image.peak_y}" for image in ranked.first],
        "decision": [str(image.decision) for image in ranked.first],
        "group": [str(image.group or "–") for image in ranked.first],
    }
    widths = {heading: max(map(cell_len, (heading, *those))) for heading, those in cells.items()}
    widths["image"] = max(cell_len(visible(image.path)) for image in ranked.first) if ranked.first else 0
    shown = headings_within(room, widths)
    left_out = [heading for heading in cells if heading not in shown]
    caption = f"A wider window shows {', '.join(left_out)} too." if left_out else None
    table = Table(title=f"Most anomalous of {counted(ranked.image_count, 'image')}", caption=caption)
    for heading in shown:
        table.add_column(heading, justify="left" if heading in ("image", "decision") else "right", overflow="fold")
    for row in zip(*(cells[heading] for heading in shown), strict=True):
        table.add_row(*row)
    return table


def headings_within(room: int, widths: Mapping[str, int]) -> list[str]:
    """The headings of columns that fit into a line together, in their order.

    Args:
        room: characters of the line.
        widths: characters of the widest cell of each column.

    >>> headings_within(30, {"rank": 4, "image": 12, "score": 6, "decision": 8})
    ['rank', 'image']
    """
    shown = list(widths)
    for heading in (*LEFT_OUT_FIRST, *reversed(list(widths))):
        if sum(widths[one] + 3 for one in shown) + 1 <= room:
            break
        if heading in shown and heading not in ("rank", "image"):
            shown.remove(heading)
    return shown
