"""The kinds of defects of a product as a CSV table, which spreadsheets open and save."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from reports.exports.csv_coco_labelstudio import csv_bytes, inert
from storage.given_names import one_form
from storage.products.defect_kinds import DefectKind

COLUMNS = tuple(field.name for field in fields(DefectKind))
SEPARATORS = ",;\t"
"""Spreadsheets of some countries write a semicolon."""


def table_of(kinds: Sequence[DefectKind]) -> bytes:
    """A list as a CSV file."""
    import pandas as pd

    return csv_bytes(pd.DataFrame([asdict(kind) for kind in kinds], columns=list(COLUMNS)))


def kinds_in(content: bytes, place: str) -> tuple[DefectKind, ...]:
    """The list in a CSV file: `name`, and `key`, `colour` and `description` where it has them.

    Args:
        place: of the file, for errors.

    Raises:
        ValueError: if it is no such table, or a kind cannot be one; naming the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"table must be UTF-8, got {place} in another encoding; save it as CSV in UTF-8") from None
    heading = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=heading.count))
    columns = [column or "" for column in rows.fieldnames or ()]
    if "name" not in columns or set(columns) - set(COLUMNS):
        raise ValueError(
            f"table must have the column name, and at most {', '.join(COLUMNS)}, got {', '.join(columns)[:200]!r}"
            f" in {place}; name its columns in the first line"
        )
    return tuple(kind_in(row, f"{place}, line {number}") for number, row in enumerate(rows, start=2))


def kind_in(row: dict[str | Any, str | Any], place: str) -> DefectKind:
    """The kind in a row; empty cells have the defaults.

    Raises:
        ValueError: if it cannot be one.
    """
    if None in row:
        raise ValueError(f"table must have as many cells as columns in each line, got more in {place}; quote its texts")
    given = {name: uninert((row.get(name) or "").strip()) for name in COLUMNS}
    filled = {name: value for name, value in given.items() if value or name == "name"}
    filled["name"] = one_form(filled["name"])
    if "colour" in filled:
        filled["colour"] = filled["colour"].lower()
    try:
        return DefectKind(**filled)
    except ValueError as error:
        raise ValueError(f"{error} ({place})") from None


def uninert(cell: str) -> str:
    """A cell without the quote that `inert` put before it.

    >>> uninert("'=1+1"), uninert("'s"), uninert("dent")
    ('=1+1', "'s", 'dent')
    """
    return cell[1:] if cell.startswith("'") and inert(cell[1:]) == cell else cell
