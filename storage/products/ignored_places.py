"""Places that are not looked at: what people drew on photographs of a product, to be ignored in all of them.

`ignored/<product>/<time>-<random>.json` holds one JSON object: all places of the product as one person saved them. No
file is ever changed: the latest counts, and one without regions takes all places back.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from storage.images.drawn_shapes import MAX_REGIONS, DrawnShape, regions_of
from storage.results.append_only_files import add_dated, latest_dated, now, read_dated
from storage.results.verdicts import MAX_NAME
from storage.store import Store

FOLDER = "ignored"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class IgnoredPlaces:
    """All that is to be ignored in photographs of a product."""

    category: str
    width: int
    """Pixels of the upright photograph on which places were drawn; others must have its proportions."""
    height: int
    regions: tuple[DrawnShape, ...]
    name: str
    """Who saved them."""
    run: str
    """Path of the run whose photograph it was."""
    image_id: str
    time: str = field(default_factory=now)
    """UTC, ISO 8601 with microseconds."""

    def __post_init__(self) -> None:
        """Refuse what nobody can have drawn.

        Raises:
            ValueError: naming the field, its rule and what was given.
        """
        if self.width < 1 or self.height < 1:
            raise ValueError(f"width and height must be positive, got {self.width} × {self.height} pixels; draw again")
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise ValueError(f"name must have 1 to {MAX_NAME} characters, got {len(self.name)}; say who draws")
        if len(self.regions) > MAX_REGIONS:
            raise ValueError(
                f"places to ignore must be at most {MAX_REGIONS} regions, got {len(self.regions)}; remove some"
            )

    def polygons(self, width: int, height: int) -> list[list[tuple[float, float]]]:
        """Corners of the places, across and down, in a picture of another size."""
        across, down = width / self.width, height / self.height
        return [[(x * across, y * down) for x, y in region.points] for region in self.regions]

    def hides_the_same(self, other: "IgnoredPlaces") -> bool:
        """Whether other places, drawn on a photograph of whatever size, cover the same part of a picture."""
        return self.polygons(1, 1) == other.polygons(1, 1)


def add_ignored(store: Store, places: IgnoredPlaces) -> str:
    """Store places as a file of their own, written whole or not at all, and return its path in the store."""
    return add_dated(store, f"{FOLDER}/{places.category}", places.time, asdict(places), FORMAT_VERSION)


def latest_ignored(store: Store, category: str) -> str:
    """Path of the places of a product that count; empty where none were ever saved."""
    return latest_dated(store, f"{FOLDER}/{category}")


def read_ignored(store: Store, path: str) -> IgnoredPlaces:
    """Saved places.

    Raises:
        FormatVersionError: if another release wrote them.
        DamagedError: if the file holds something else.
    """

    def places_of(fields: Mapping[str, Any]) -> IgnoredPlaces:
        return IgnoredPlaces(**{**fields, "regions": regions_of(fields["regions"])})

    return read_dated(store, path, FORMAT_VERSION, places_of, "places to ignore")
