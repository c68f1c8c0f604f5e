"""A comparison of choices as an SVG picture: each choice's AUROC, and the interval that holds it in 9 of 10 cases."""

from collections.abc import Sequence
from html import escape
from math import floor
from textwrap import wrap

from storage.products.tunings import Tuning

WIDTH, NARROW = 640, 320
"""Pixels, of a picture of its own and of one that fits a telephone."""
LINE_HEIGHT, BAR_HEIGHT, MARGIN, AXIS_HEIGHT = 15, 23, 12, 26
CHARACTER, FIGURES = 7.2, 48
"""Pixels of a bold character of a name, at most on average, and of the AUROC beside it."""
FOUND, OTHER = "#1f6feb", "#8a8f98"
SHOWN = 8
"""Choices in the picture."""


def shown_choices(tuning: Tuning, count: int) -> list[int]:
    """Rows of the choices to be shown: the one in use, the one found, then those of the highest expected gain."""
    by_gain = sorted(range(1, len(tuning.choices)), key=lambda place: -tuning.choices[place].gain)
    return list(dict.fromkeys([0, tuning.chosen, *by_gain]))[:count]


def comparison_picture(tuning: Tuning, count: int = SHOWN, width: int = WIDTH) -> str:
    """The picture, to stand in a page or in a file of its own.

    Each choice has a row: its name, below it a bar from end to end of its interval, and a dot at its AUROC. The dashed
    line is the AUROC of the settings in use.

    Args:
        count: choices at most.
        width: in pixels; names that are longer take more lines.
    """
    places = shown_choices(tuning, count)
    axis = Axis(min(tuning.choices[place].low for place in places), width)
    rows, top = [], MARGIN
    for place in places:
        lines = wrap(name_of(tuning, place), int((width - 2 * MARGIN - FIGURES) / CHARACTER))
        rows.append(choice_row(tuning, place, lines, top, axis))
        top += LINE_HEIGHT * len(lines) + BAR_HEIGHT
    height, used = top + AXIS_HEIGHT, axis.across(tuning.choices[0].auroc)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'role="img" font-family="sans-serif" font-size="12" fill="currentColor">',
            f"<title>{escape(title_of(tuning, len(places)))}</title>",
            f'<line x1="{used}" x2="{used}" y1="{MARGIN}" y2="{top}" stroke="currentColor" stroke-opacity="0.5" '
            'stroke-dasharray="3 3"/>',
            *rows,
            f'<line x1="{MARGIN}" x2="{width - MARGIN}" y1="{top}" y2="{top}" stroke="currentColor"/>',
            *(tick(axis, value, top) for value in axis.ticks),
            "</svg>\n",
        )
    )


class Axis:
    """From an AUROC at the left to 1 at the right."""

    def __init__(self, lowest: float, width: int = WIDTH) -> None:
        self.width = width
        self.low = min(0.9, max(0.0, floor(lowest * 10) / 10))
        """A tenth that is not above the lowest value."""

    @property
    def ticks(self) -> list[float]:
        """The tenths."""
        return [round(self.low + number / 10, 1) for number in range(round(10 * (1 - self.low)) + 1)]

    def across(self, auroc: float) -> float:
        """Pixels from the left.

        >>> Axis(0.52).low, Axis(0.52).across(0.5), Axis(0.52).across(1)
        (0.5, 12.0, 628.0)
        """
        return round(MARGIN + (self.width - 2 * MARGIN) * (auroc - self.low) / (1 - self.low), 1)


def title_of(tuning: Tuning, count: int) -> str:
    """What the picture shows, for those who cannot see it."""
    return (
        f"AUROC of {count} of {len(tuning.choices)} choices of settings for {tuning.category}, "
        "with intervals that hold it in 9 of 10 cases"
    )


def name_of(tuning: Tuning, place: int) -> str:
    """A choice in words, and whether it is the one in use or the one found."""
    mark = " (in use)" if place == 0 else " (found)" if place == tuning.chosen else ""
    return f"{tuning.choices[place].text}{mark}"


def choice_row(tuning: Tuning, place: int, lines: Sequence[str], top: float, axis: Axis) -> str:
    """The name of a choice, its interval and its AUROC.

    Args:
        lines: of the name.
    """
    row, is_found = tuning.choices[place], 0 < place == tuning.chosen
    colour, middle = FOUND if is_found else OTHER, top + LINE_HEIGHT * len(lines) + 9
    low, high, at = axis.across(row.low), axis.across(row.high), axis.across(row.auroc)
    weight = ' font-weight="bold"' if is_found or place == 0 else ""
    names = (
        f'<text x="{MARGIN}" y="{top + 12 + LINE_HEIGHT * number}"{weight}>{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f"{''.join(names)}"
        f'<text x="{axis.width - MARGIN}" y="{top + 12}" text-anchor="end"{weight}>{row.auroc:.3f}</text>'
        f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke="{colour}" stroke-width="6" '
        'stroke-opacity="0.55" stroke-linecap="round"/>'
        f'<circle cx="{at}" cy="{middle}" r="5" fill="{colour}"/>'
    )


def tick(axis: Axis, value: float, bottom: float) -> str:
    """A figure below the axis."""
    anchor = "start" if value == axis.low else "end" if value == 1 else "middle"
    return f'<text x="{axis.across(value)}" y="{bottom + 16}" text-anchor="{anchor}">{value:g}</text>'
