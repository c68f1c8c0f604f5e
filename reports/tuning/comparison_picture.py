"""A comparison of choices as an SVG picture: each choice's AUROC, and the interval that holds it in 9 of 10 cases."""

from html import escape
from math import floor

from storage.products.tunings import Tuning

WIDTH, ROW_HEIGHT, MARGIN, AXIS_HEIGHT = 640, 38, 12, 26
FOUND, OTHER = "#1f6feb", "#8a8f98"
SHOWN = 8
"""Choices in the picture."""


def shown_choices(tuning: Tuning, count: int) -> list[int]:
    """Rows of the choices to be shown: the one in use, the one found, then those of the highest expected gain."""
    by_gain = sorted(range(1, len(tuning.choices)), key=lambda place: -tuning.choices[place].gain)
    return list(dict.fromkeys([0, tuning.chosen, *by_gain]))[:count]


def comparison_picture(tuning: Tuning, count: int = SHOWN) -> str:
    """The picture, to stand in a page or in a file of its own.

    Each choice has a row: its name, below it a bar from end to end of its interval, and a dot at its AUROC. The dashed
    line is the AUROC of the settings in use.
    """
    places = shown_choices(tuning, count)
    axis = Axis(min(tuning.choices[place].low for place in places))
    bottom = MARGIN + ROW_HEIGHT * len(places)
    height, used = bottom + AXIS_HEIGHT, axis.across(tuning.choices[0].auroc)
    rows = (choice_row(tuning, place, MARGIN + ROW_HEIGHT * row, axis) for row, place in enumerate(places))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'role="img" font-family="sans-serif" font-size="12" fill="currentColor">',
            f"<title>{escape(title_of(tuning, len(places)))}</title>",
            f'<line x1="{used}" x2="{used}" y1="{MARGIN}" y2="{bottom}" stroke="currentColor" stroke-opacity="0.5" '
            'stroke-dasharray="3 3"/>',
            *rows,
            f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{bottom}" y2="{bottom}" stroke="currentColor"/>',
            *(tick(axis, value, bottom) for value in axis.ticks),
            "</svg>\n",
        )
    )


class Axis:
    """From an AUROC at the left to 1 at the right."""

    def __init__(self, lowest: float) -> None:
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
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (auroc - self.low) / (1 - self.low), 1)


def title_of(tuning: Tuning, count: int) -> str:
    """What the picture shows, for those who cannot see it."""
    return (
        f"AUROC of {count} of {len(tuning.choices)} choices of settings for {tuning.category}, "
        "with intervals that hold it in 9 of 10 cases"
    )


def choice_row(tuning: Tuning, place: int, top: float, axis: Axis) -> str:
    """The name of a choice, its interval and its AUROC."""
    row, is_found = tuning.choices[place], 0 < place == tuning.chosen
    colour, middle = FOUND if is_found else OTHER, top + 24
    mark = " (in use)" if place == 0 else " (found)" if is_found else ""
    low, high, at = axis.across(row.low), axis.across(row.high), axis.across(row.auroc)
    weight = ' font-weight="bold"' if is_found or place == 0 else ""
    return (
        f'<text x="{MARGIN}" y="{top + 12}"{weight}>{escape(row.text + mark)}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{top + 12}" text-anchor="end"{weight}>{row.auroc:.3f}</text>'
        f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke="{colour}" stroke-width="6" '
        'stroke-opacity="0.55" stroke-linecap="round"/>'
        f'<circle cx="{at}" cy="{middle}" r="5" fill="{colour}"/>'
    )


def tick(axis: Axis, value: float, bottom: float) -> str:
    """A figure below the axis."""
    anchor = "start" if value == axis.low else "end" if value == 1 else "middle"
    return f'<text x="{axis.across(value)}" y="{bottom + 16}" text-anchor="{anchor}">{value:g}</text>'
