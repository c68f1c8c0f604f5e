"""README.txt of a run's folder: its files and settings in plain text."""

from collections.abc import Mapping
from typing import Any

from musc.pydantic_options import Options
from reports.run_record import RunRecord
from reports.sentences import headline, thresholds
from storage.local_time import local_time
from storage.results.runs import CONTENTS

NAME_WIDTH = 20
"""Characters of the column of names."""


def readme(record: RunRecord) -> str:
    """The text of the file.

    Args:
        record: of the run.
    """
    job, decision = record.job, record.decision
    backbone = job.backbone
    height, width = backbone.image_size
    parts = {
        "": [
            f"Images of {job.category}, lot {job.lot}, scored by MuSc: which of them differ from the others.",
            f"{headline(decision, record.image_count)}.",
            *([decision.remark] if decision.remark else []),
            thresholds(decision),
        ],
        "Lot": format_rows({"folder": job.folder, "recorded": local_time(record.recorded), **record.images}),
        "Files": format_rows(CONTENTS),
        "Network": format_rows(
            {
                "name": backbone.name,
                "weights": f"{backbone.weights} ({backbone.weights_digest})",
                "pixels": f"{height} x {width}",
                "layers": tuple(layer.number for layer in backbone.layers),
                "precision": backbone.precision,
            }
        ),
        "Settings": format_rows(
            {**option_values(job.settings), "subsets": job.subsets, "settings digest": record.settings_digest}
        ),
        "Decision": format_rows(option_values(job.decisions)),
        "Warnings": [f"  {text}" for text in (*record.warnings, *record.notes)],
        "Versions": format_rows(record.versions),
        "Commands": format_rows(
            {
                "musc show": "and this folder: prints the results",
                "musc reproduce": "and this folder: computes them again and compares",
            }
        ),
    }
    texts = ["\n".join([*([heading] if heading else []), *lines]) for heading, lines in parts.items() if lines]
    return "\n\n".join(texts) + "\n"


def option_values(options: Options) -> dict[str, object]:
    """Every option by name, with its value."""
    return {name: getattr(options, name) for name in type(options).model_fields}


def format_rows(values: Mapping[str, object]) -> list[str]:
    """A line for each name and value.

    >>> format_rows({"degrees": (1, 3), "references": None})
    ['  degrees              1, 3', '  references           not set']
    """
    return [f"  {name:<{NAME_WIDTH}} {format_value(value)}" for name, value in values.items()]


def format_value(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not set" if value is None else str(value)
