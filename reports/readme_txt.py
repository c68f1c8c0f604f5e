"""README.txt of a run's folder: its files and settings in plain text."""

from collections.abc import Mapping
from typing import get_args

from reports.description import describe_run
from reports.run_record import RunRecord
from reports.sentences import headline, thresholds
from storage.results.run_files import CAUSES, CAUSES_FOLDER, ExportKind, MapKind, export_folder, maps_folder
from storage.results.runs import CONTENTS, REPORT, REPORT_FOLDER

MADE_AFTER = {
    f"{CAUSES_FOLDER}/{CAUSES}": "what is odd about flagged and suspect images: a sentence each, size and place",
    f"{REPORT_FOLDER}/{REPORT}": "the page with pictures, for a browser and for mailing",
    **{maps_folder(kind): f"anomaly maps as {kind} files, with --maps {kind}" for kind in get_args(MapKind)},
    **{export_folder(kind): f"results as {kind}, with --export {kind}" for kind in get_args(ExportKind)},
}
"""What is made of a run after it is complete, and lies beside its files: each only where it was asked for."""


def readme(record: RunRecord) -> str:
    """The text of the file."""
    job, decision = record.job, record.decision
    tables = {
        "Files": CONTENTS | MADE_AFTER,
        **describe_run(record),
        "Commands": {
            "musc show": "and this folder: prints the results",
            "musc reproduce": "and this folder: computes them again and compares",
        },
    }
    width = max(len(name) for values in tables.values() for name in values)
    rows = {heading: format_rows(values, width) for heading, values in tables.items()}
    parts = {
        "": [
            f"Images of {job.category}, lot {job.lot}, scored by MuSc: which of them differ from the others.",
            f"{headline(decision, record.image_count)}.",
            *([decision.remark] if decision.remark else []),
            thresholds(decision, record.accepted_threshold),
        ],
        **{heading: lines for heading, lines in rows.items() if heading != "Commands"},
        "Warnings": [f"  {text}" for text in (*record.warnings, *record.notes)],
        "Commands": rows["Commands"],
    }
    texts = ["\n".join([*([heading] if heading else []), *lines]) for heading, lines in parts.items() if lines]
    return "\n\n".join(texts) + "\n"


def format_rows(values: Mapping[str, str], width: int) -> list[str]:
    """A line for each name and text; names take so many characters.

    >>> format_rows({"degrees": "1, 3", "references": "not set"}, 10)
    ['  degrees     1, 3', '  references  not set']
    """
    return [f"  {name:<{width}}  {text}" for name, text in values.items()]
