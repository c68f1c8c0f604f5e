"""The geometry of the overview's charts, in percent of their width and height; the page draws them as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MARGIN = 8.0
"""Percent of the height kept free above and below."""
SMALLEST_SPAN = 0.2
"""Of the scale, as a fraction of its ends, so that what hardly differs looks so."""


@dataclass(frozen=True)
class Dot:
    """One value of a line."""

    x: float
    y: float
    value: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Lines over the nights, from left to right."""

    title: str
    lines: tuple[tuple[str, tuple[Dot, ...]], ...]
    """Name and dots of each; nights without a value have no dot."""
    low: float
    high: float

    @property
    def latest(self) -> float | None:
        """The last value of the first line."""
        dots = self.lines[0][1]
        return dots[-1].value if dots else None


def chart(
    title: str, labels: Sequence[str], lines: Mapping[str, Sequence[float | None]], *, from_zero: bool = False
) -> Chart:
    """Lay out lines that share one scale.

    Args:
        labels: of the nights, oldest first.
        lines: a value per night, None where there is none, by name.
        from_zero: let the scale begin at 0.
    """
    present = [value for values in lines.values() for value in values if value is not None and value == value]
    low, high = (min(present), max(present)) if present else (0.0, 1.0)
    if from_zero:
        low = 0.0
    missing = (SMALLEST_SPAN * max(abs(low), abs(high)) or 1.0) - (high - low)
    if missing > 0:
        low, high = (low, high + missing) if from_zero else (low - missing / 2, high + missing / 2)
    step = 100 / max(1, len(labels) - 1)

    def dots(values: Sequence[float | None]) -> tuple[Dot, ...]:
        return tuple(
            Dot(
                step * index if len(labels) > 1 else 50.0,
                100 - MARGIN - (100 - 2 * MARGIN) * (value - low) / (high - low),
                value,
                label,
            )
            for index, (label, value) in enumerate(zip(labels, values, strict=True))
            if value is not None and value == value
        )

    return Chart(title, tuple((name, dots(values)) for name, values in lines.items()), low, high)
