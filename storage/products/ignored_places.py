"""Places that are not looked at: what people drew on photographs of a product, to be ignored in all of them.

`ignored/<product>/<time>-<random>.json` holds one JSON object: all places of the product as one person saved them. No
file is ever changed: the latest counts, and one without regions takes all places back.
"""

import json
from dataclasses import asdict, dataclass, field

from storage.errors import DamagedError, FormatVersionError
from storage.images.drawn_shapes import MAX_REGIONS, DrawnShape, regions_of
from storage.results.append_only_files import add_dated, now
from storage.results.verdicts import MAX_NAME
from storage.store import PARTIAL, Store

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
    content = {"format_version": FORMAT_VERSION, **asdict(places)}
    return add_dated(store, f"{FOLDER}/{places.category}", places.time, content)


def latest_ignored(store: Store, category: str) -> str:
    """Path of the places of a product that count; empty where none were ever saved."""
    folder = f"{FOLDER}/{category}"
    names = [name for name in store.sizes(folder) if name.endswith(".json") and PARTIAL not in name]
    return f"{folder}/{max(names)}" if names else ""


def read_ignored(store: Store, path: str) -> IgnoredPlaces:
    """Saved places.

    Raises:
        FormatVersionError: if another release wrote them.
        DamagedError: if the file holds something else.
    """
    try:
        values = json.loads(store.read(path))
        version = values.pop("format_version", None)
        if version == FORMAT_VERSION:
            return IgnoredPlaces(**{**values, "regions": regions_of(values["regions"])})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(
            f"{path} in {store.url} must hold places to ignore, got something else ({error}); delete it, which brings "
            "back those saved before, or save the places again on the site"
        ) from None
    raise FormatVersionError(
        f"{path} in {store.url} must have format version {FORMAT_VERSION}, got {version!r}; save the places again on "
        "the site"
    )
