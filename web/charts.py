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


@dataclass(frozen=True)
class BarPart:
    """What one kind adds to a bar; the origin is at the top."""

    name: str
    count: int
    top: float
    height: float


@dataclass(frozen=True)
class StackedBars:
    """A bar for each night, from left to right, of counts that lie on each other."""

    bars: tuple[tuple[str, float, tuple[BarPart, ...]], ...]
    """Label, left end and parts of each, from the bottom up; those of count 0 are left out."""
    width: float
    most: int
    """The highest bar."""


def stacked_bars(labels: Sequence[str], counts: Mapping[str, Sequence[int]]) -> StackedBars:
    """Lay out bars that share one scale from 0.

    Args:
        labels: of the nights, oldest first.
        counts: of each night, by name.
    """
    totals = [sum(values) for values in zip(*counts.values(), strict=True)]
    most, step = max(totals, default=0), 100 / max(1, len(labels))
    bars = []
    for index, label in enumerate(labels):
        parts, below = [], 0
        for name, values in counts.items():
            below += values[index]
            if values[index]:
                parts.append(BarPart(name, values[index], 100 - 100 * below / most, 100 * values[index] / most))
        bars.append((label, step * (index + 0.1), tuple(parts)))
    return StackedBars(tuple(bars), 0.8 * step, most)
