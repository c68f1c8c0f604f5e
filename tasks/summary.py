"""The summary of a run as markdown: what was scored, the most anomalous parts in pictures, where everything lies."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from storage.decode import decode
from storage.errors import ImageChangedError, UnreadableImageError
from storage.lots import read_image
from storage.runs import Run
from storage.store import Store
from tasks.pictures import colour_scale
from tasks.prepare import LotJob
from tasks.sheet import Part, bounded_url, sheet

PARTS_SHOWN = 6
ROWS_SHOWN = 10
TABLE_ROWS = 50
"""Rows of the table artifact."""

SIGNS = re.compile(r"[^\w ./:,%-]|_")
"""What may mean something in markdown or HTML."""


def summary(run: Run, job: LotJob, device: str) -> str:
    """What a person wants to see of a run first.

    Args:
        run: finished.
        job: what was asked for.
        device: that scored.
    """
    scores, report = run.scores(), run.report()
    facts = {
        "category": job.category,
        "backbone": job.backbone.name,
        "device": device,
        "images scored": f"{len(scores):,}",
        "files left out": left_out(run.images()),
        **decisions(scores),
        "results": run.store.location(run.path),
        **({"report": report} if report else {}),
    }
    return "\n\n".join(
        [
            f"# {as_text(job.lot)}",
            "\n".join(f"- **{name}**: {as_text(value)}" for name, value in facts.items()),
            f"## Most anomalous of {len(scores):,} images",
            picture(run, job.folder, scores),
            markdown_table([{name: as_text(value) for name, value in row.items()} for row in top_rows(scores)]),
        ]
    )


def top_rows(scores: pd.DataFrame, count: int = ROWS_SHOWN) -> list[dict[str, str]]:
    """The first rows of a score table as texts, for the UI's tables and for markdown."""
    shown = []
    for row in scores.head(count).to_dict("records"):
        texts = {
            "rank": str(row["rank"]),
            "image": str(row["path"]),
            "score": f"{row['score']:.4f}",
            "raw score": f"{row['raw_score']:.4f}",
            "peak at x, y": f"{row['peak_x']}, {row['peak_y']}",
        }
        shown.append({**texts, **({"decision": str(row["decision"])} if "decision" in row else {})})
    return shown


def left_out(images: pd.DataFrame) -> str:
    """How many files were not scored, and why."""
    counts = images.loc[images["status"] != "ok", "status"].value_counts()
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "none"


def decisions(scores: pd.DataFrame) -> dict[str, str]:
    """How many images were decided how, if a decision was made."""
    if "decision" not in scores:
        return {}
    counts = scores["decision"].value_counts()
    return {"decisions": ", ".join(f"{count} {decision}" for decision, count in counts.items())}


def picture(run: Run, folder: str, scores: pd.DataFrame) -> str:
    """The most anomalous parts as one inlined picture; parts whose file is gone or changed are left out."""
    scored = run.scored_images()
    rows = {image.path: row for row, image in enumerate(scored)}
    patch_scores = run.patch_scores()
    parts = []
    for known in scores.head(PARTS_SHOWN).itertuples():
        row = rows[str(known.path)]
        try:
            photograph = decode(read_image(Store(folder), scored[row]))
        except (ImageChangedError, UnreadableImageError):
            continue
        parts.append(Part(f"{known.rank}: score {known.score:.3f}", photograph, patch_scores[row]))
    if not parts:
        return "The photographs are gone, so there is no picture."
    drawn = sheet(parts, colour_scale(patch_scores))
    return f"![The most anomalous parts, each beside its anomaly map]({bounded_url(drawn)})"


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of texts that are markdown already."""
    if not rows:
        return ""
    headings = list(rows[0])
    lines = [headings, ["---"] * len(headings), *([row[heading] for heading in headings] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_text(value: Any) -> str:
    """Any text so that markdown and HTML show it as it is: file names may hold anything.

    >>> as_text("<b>|x|</b>")
    '&#60;b&#62;&#124;x&#124;&#60;/b&#62;'
    """
    return SIGNS.sub(lambda found: f"&#{ord(found[0])};", str(value))
