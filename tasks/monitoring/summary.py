"""The summary of a run as markdown: what was scored, the most anomalous parts in pictures, where everything lies."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from planning.lot_job import LotJob
from reports.page.contact_sheet import SheetPart, bounded_url, sheet
from reports.page.finished_run import FinishedRun
from reports.run_record import read_record
from reports.sentences import counted
from storage.results.runs import Run

PARTS_SHOWN = 6
ROWS_SHOWN = 10
TABLE_ROWS = 50
"""Rows of the table artifact."""

SIGNS = re.compile(
    r"[\\`*\[\]<>|~]"  # always
    r"|(?<![^\W_])_|_(?![^\W_])"  # not within a word, where markdown leaves it alone
    r"|&(?=#?\w+;)|^#|#$"
)
"""What means something in Prefect's markdown, which knows backslashes but shows `&#95;` as it is written."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def summary(run: Run, job: LotJob, device: str, warnings: Sequence[str] = ()) -> str:
    """What a person wants to see of a run first.

    Args:
        run: finished.
        device: that scored.
        warnings: sentences, as on the run's page.
    """
    scores, report = run.scores(), run.report()
    facts = {
        "category": job.category,
        "backbone": job.backbone.name,
        "device": device,
        "images scored": f"{len(scores):,}",
        "files left out": read_record(run).left_out or "none",
        **decisions(scores),
        "results": run.store.location(run.path),
        **({"report": report} if report else {}),
    }
    return "\n\n".join(
        [
            f"# {as_text(job.lot)}",
            "\n".join(f"- **{name}**: {as_text(value)}" for name, value in facts.items()),
            *(["\n".join(f"- **warning**: {as_text(warning)}" for warning in warnings)] if warnings else []),
            f"## Most anomalous of {counted(len(scores), 'image')}",
            picture(run, job.folder),
            markdown_table(as_texts(top_rows(scores))),
        ]
    )


def top_rows(scores: pd.DataFrame, count: int = ROWS_SHOWN) -> list[dict[str, str]]:
    """The first rows of a score table as texts, for the UI's tables and for markdown."""
    return [
        {
            "rank": str(row["rank"]),
            "image": str(row["path"]),
            "raw score": f"{row['raw_score']:.4f}",
            "score": f"{row['score']:.4f}",
            "peak at x, y": f"{row['peak_x']}, {row['peak_y']}",
            "decision": str(row["decision"]),
        }
        for row in scores.head(count).to_dict("records")
    ]


def decisions(scores: pd.DataFrame) -> dict[str, str]:
    """How many images were decided how."""
    counts = scores["decision"].value_counts()
    return {"decisions": ", ".join(f"{count} {decision}" for decision, count in counts.items())}


def picture(run: Run, folder: str) -> str:
    """The most anomalous parts as one inlined picture."""
    image = strip(run, folder)
    if image is None:
        return "The photographs are gone, so there is no picture."
    return f"![The most anomalous parts, each beside its anomaly map]({bounded_url(image)})"


def strip(run: Run, folder: str) -> Image.Image | None:
    """Draw the most anomalous parts, each beside itself under its anomaly map.

    Args:
        run: finished.
        folder: where its photographs lie; parts whose file is gone or changed are left out.

    Returns:
        The RGB picture, or None if no photograph is left.
    """
    finished = FinishedRun(run, folder)
    positions = {image.path: position for position, image in enumerate(finished.images)}
    parts = []
    for row in run.scores().head(PARTS_SHOWN).itertuples():
        position = positions[str(row.path)]
        photograph = finished.photograph(position)
        if photograph is not None:
            parts.append(
                SheetPart(f"{row.rank}: raw score {row.raw_score:.3f}", photograph, finished.patch_scores[position])
            )
    return sheet(parts, finished.limits) if parts else None


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of texts that are markdown already."""
    if not rows:
        return ""
    headings = list(rows[0])
    lines = [headings, ["---"] * len(headings), *([row[heading] for heading in headings] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_texts(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The cells of a table so that Prefect, which reads each as markdown, shows them as they are."""
    return [{name: as_text(value) for name, value in row.items()} for row in rows]


def as_text(value: Any) -> str:
    r"""Any text so that Prefect's markdown, and its tables, show it as it is: file names may hold anything.

    >>> as_text("stain_000.png"), as_text("<b>_x_|")
    ('stain_000.png', '\\<b\\>\\_x\\_\\|')
    """
    printable = CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(value))
    return SIGNS.sub(r"\\\g<0>", printable)
