"""What is odd about an image, in words: where its worst place lies, how large it is, how good places differ from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import floor, log10
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from reports.languages.current import gettext as _
from reports.languages.current import mark
from reports.languages.numbers import number
from reports.page.matches import Match
from reports.page.place_differences import Difference
from reports.page.place_on_part import Part
from storage.artefacts import facts, is_complete
from storage.results.run_files import CAUSES, CAUSES_FOLDER
from storage.results.runs import Run
from storage.store import Store
from storage.tables import read_table, write_table

if TYPE_CHECKING:
    import pandas as pd


NO_DIFFERENCE = mark("No measured difference in brightness, colour, roughness or edges stands out.")
PLACES = {
    ("upper left", True): mark("at the upper left of the part"),
    ("upper middle", True): mark("at the top of the part, in the middle"),
    ("upper right", True): mark("at the upper right of the part"),
    ("middle left", True): mark("at the left of the part, halfway down"),
    ("middle middle", True): mark("in the middle of the part"),
    ("middle right", True): mark("at the right of the part, halfway down"),
    ("lower left", True): mark("at the lower left of the part"),
    ("lower middle", True): mark("at the bottom of the part, in the middle"),
    ("lower right", True): mark("at the lower right of the part"),
    ("upper left", False): mark("at the upper left of the photograph"),
    ("upper middle", False): mark("at the top of the photograph, in the middle"),
    ("upper right", False): mark("at the upper right of the photograph"),
    ("middle left", False): mark("at the left of the photograph, halfway down"),
    ("middle middle", False): mark("in the middle of the photograph"),
    ("middle right", False): mark("at the right of the photograph, halfway down"),
    ("lower left", False): mark("at the lower left of the photograph"),
    ("lower middle", False): mark("at the bottom of the photograph, in the middle"),
    ("lower right", False): mark("at the lower right of the photograph"),
}
"""Thirds down and across, and whether they are the part's, as the end of a sentence."""


@dataclass(frozen=True)
class Cause:
    """What is odd about one image."""

    place: str
    """The third down and the third across, such as `upper left` or `middle middle`."""
    of_part: bool
    """Whether thirds are those of the part; else of the photograph."""
    size: tuple[int, int] | None = None
    """Width and height of the outlined place in pixels of the photograph; None where nothing is outlined."""
    pixel_size: float | None = None
    """Millimetres a pixel."""
    differences: tuple[Difference, ...] | None = None
    """From the nearest good places, strongest first; None where they were not measured."""

    @property
    def size_mm(self) -> tuple[float, float] | None:
        """The size in millimetres, if it is known."""
        if self.size is None or self.pixel_size is None:
            return None
        return self.size[0] * self.pixel_size, self.size[1] * self.pixel_size

    @property
    def where(self) -> str:
        """Where the place lies and how large it is, a sentence."""
        place = _(PLACES[self.place, self.of_part])
        if self.size is None:
            return _("The worst place is %(place)s.", place=place)
        if mm := self.size_mm:
            mm_text = {"width": millimetres(mm[0]), "height": millimetres(mm[1])}
            return _("The outlined place is %(width)s × %(height)s mm large, %(place)s.", place=place, **mm_text)
        pixels = {"width": number(self.size[0]), "height": number(self.size[1])}
        return _("The outlined place is %(width)s × %(height)s pixels large, %(place)s.", place=place, **pixels)

    @property
    def measured(self) -> list[str]:
        """How the place differs from good ones, a sentence for each difference; empty where it was not measured."""
        if self.differences is None:
            return []
        return [one.sentence for one in self.differences] or [_(NO_DIFFERENCE)]

    @property
    def text(self) -> str:
        """Everything in words."""
        return " ".join([self.where, *self.measured])


def millimetres(length: float) -> str:
    """A length with two digits that count at least, as the language writes it.

    >>> millimetres(0.01234), millimetres(1.2), millimetres(123.4)
    ('0.012', '1.2', '123')
    """
    return number(length, f".{max(0, 1 - floor(log10(length)))}f")


class CauseFacts(BaseModel):
    """What the marker of a run's causes notes."""

    model_config = ConfigDict(extra="ignore")

    pixel_size: float | None = None
    part: Part | None = None
    """Where parts lie, in fractions of the photographs' sides; None where they do not lie alike."""
    why_no_matches: str = ""
    """In English; empty where matches were sought."""


@dataclass(frozen=True)
class Causes:
    """What is odd about images of a run."""

    of_image: dict[str, Cause] = field(default_factory=dict)
    """By image id."""
    matches: dict[str, list[Match]] = field(default_factory=dict)
    """The nearest good places of those that were compared, by image id."""
    facts: CauseFacts = field(default_factory=CauseFacts)


def causes_path(run: str) -> str:
    """Where the causes of a run lie in the store."""
    return f"{run}/{CAUSES_FOLDER}"


def cause_table(causes: Causes, paths: dict[str, str]) -> "pd.DataFrame":
    """A row per image, in plain words and numbers.

    Args:
        paths: of the images, by id.
    """
    import pandas as pd

    columns = ("image_id", "path", "cause", "place", "place_of", "width", "height", "width_mm", "height_mm")
    rows = []
    for image_id, cause in causes.of_image.items():
        size, mm = cause.size or (None, None), cause.size_mm or (None, None)
        told = (image_id, paths[image_id], cause.text, cause.place, "part" if cause.of_part else "photograph")
        measured = None if cause.differences is None else json.dumps([asdict(one) for one in cause.differences])
        near = json.dumps([asdict(match) for match in causes.matches.get(image_id, [])])
        rows.append((*told, *size, *mm, measured, near))
    table = pd.DataFrame(rows, columns=[*columns, "differences", "matches"])
    texts = dict.fromkeys(("image_id", "path", "cause", "place", "place_of", "differences", "matches"), "string")
    lengths = dict.fromkeys(("width_mm", "height_mm"), "float64")
    return table.astype(texts | {"width": "Int64", "height": "Int64"} | lengths)


def write_causes(store: Store, folder: str, causes: Causes, paths: dict[str, str]) -> None:
    """Write the table into a folder."""
    write_table(store, f"{folder}/{CAUSES}", cause_table(causes, paths))


def read_causes(run: Run) -> Causes:
    """What is odd about images of a run; nothing where that was not found out."""
    folder = causes_path(run.path)
    if not is_complete(run.store, folder):
        return Causes()
    about = CauseFacts.model_validate(facts(run.store, folder))
    table = read_table(run.store, f"{folder}/{CAUSES}")
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return Causes(
        {
            str(row["image_id"]): Cause(
                row["place"],
                row["place_of"] == "part",
                None if row["width"] is None else (int(row["width"]), int(row["height"])),
                about.pixel_size,
                None if row["differences"] is None else _differences(json.loads(row["differences"])),
            )
            for row in rows
        },
        {str(row["image_id"]): [Match(**match) for match in json.loads(row["matches"])] for row in rows},
        about,
    )


def _differences(rows: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    return tuple(Difference(**row) for row in rows)
