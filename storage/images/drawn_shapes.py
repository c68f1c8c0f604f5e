"""Places that people drew in photographs: boxes and outlines."""

import math
from dataclasses import dataclass
from typing import Any

BOX, OUTLINE = "box", "outline"
MAX_REGIONS = 50
"""Of a verdict."""
CORNERS = 4
"""Of a box."""
LEAST_POINTS, MAX_POINTS = 3, 500
"""Of an outline."""

Point = tuple[float, float]
"""Across and down, in pixels of the original upright image."""


@dataclass(frozen=True)
class DrawnShape:
    """A place that a person drew."""

    shape: str
    """`box` or `outline`."""
    points: tuple[Point, ...]
    """Corners in their order; four for a box."""

    def __post_init__(self) -> None:
        """Refuse what is no polygon.

        Raises:
            ValueError: naming what was given.
        """
        if self.shape not in (BOX, OUTLINE):
            raise ValueError(f"the shape of a region must be {BOX} or {OUTLINE}, got {self.shape!r}; draw it again")
        if self.shape == BOX and len(self.points) != CORNERS:
            raise ValueError(f"a box must have {CORNERS} corners, got {len(self.points)}; draw it again")
        if self.shape == OUTLINE and not LEAST_POINTS <= len(self.points) <= MAX_POINTS:
            raise ValueError(
                f"an outline must have {LEAST_POINTS} to {MAX_POINTS} points, got {len(self.points)}; draw it again"
            )
        if not all(math.isfinite(value) and value >= 0 for point in self.points for value in point):
            raise ValueError("the points of a region must lie in the image; draw it again")

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        across, down = zip(*self.points, strict=True)
        return min(across), min(down), max(across), max(down)


def regions_of(values: Any) -> tuple[DrawnShape, ...]:
    """Regions from plain JSON values.

    Raises:
        ValueError: if they are none.
    """
    try:
        return tuple(
            DrawnShape(str(value["shape"]), tuple((float(x), float(y)) for x, y in value["points"])) for value in values
        )
    except (TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"regions must be shapes with points, got something else ({error}); draw them again") from None
