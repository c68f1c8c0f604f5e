"""Places to ignore in all photographs of a product: as a browser sends them, as a page shows them, who uses them."""

import logging
from dataclasses import replace
from threading import Lock
from typing import TypedDict

from reports.run_record import RunRecord
from storage.errors import DamagedError, FormatVersionError
from storage.images.drawn_shapes import regions_of
from storage.products.ignored_places import IgnoredPlaces, add_ignored, latest_ignored, read_ignored
from storage.results.append_only_files import time_after
from storage.store import Store
from web.judging.form import clip_region, sent_object, text_of
from web.lot import Lot

log = logging.getLogger(__name__)

SAVING = Lock()
"""Held from looking which save counts until the next one counts: of two at once the second is refused."""


class OutdatedError(ValueError):
    """Somebody else saved the same thing since the page was loaded."""


class IgnoredValues(TypedDict):
    """What a page needs to know of the places to ignore, as plain JSON values."""

    saved: str
    """Which save counts; empty where there is none."""
    regions: list[dict[str, object]]
    """Shape and points of each, in pixels of the photograph."""
    name: str
    """Who saved them."""
    time: str
    used: bool
    """Whether the run that is shown left out just these places."""


def places_of(store: Store, record: RunRecord) -> tuple[str, IgnoredPlaces | None]:
    """Where the saved places of a run's product that count lie in the store, and the places; None if damaged."""
    path = latest_ignored(store, record.job.category)
    return path, read_or_warn(store, path) if path else None


def read_or_warn(store: Store, path: str) -> IgnoredPlaces | None:
    """Saved places; None and a warning if they cannot be read, so that pages open and a new save can replace them."""
    try:
        return read_ignored(store, path)
    except (DamagedError, FormatVersionError, FileNotFoundError) as error:
        log.warning("places to ignore are not shown: %s", error)
        return None


def used_by(store: Store, record: RunRecord, path: str, places: IgnoredPlaces) -> bool:
    """Whether a run left out just these places, in whichever save it met them."""
    region = record.job.region
    if region is None or not region.ignored or not places.regions:
        return False
    left_out = places if region.ignored == path else read_or_warn(store, region.ignored)
    return left_out is not None and left_out.hides_the_same(places)


def ignored_values(store: Store, record: RunRecord, width: int, height: int) -> IgnoredValues:
    """The places to ignore as a page shows them over a photograph.

    Args:
        width: of the photograph that is shown, in pixels.
    """
    path, places = places_of(store, record)
    if places is None:
        return {"saved": path, "regions": [], "name": "", "time": "", "used": False}
    shapes = [region.shape for region in places.regions]
    outlines = zip(shapes, places.polygons(width, height), strict=True)
    return {
        "saved": path,
        "regions": [
            {"shape": shape, "points": [(round(x, 1), round(y, 1)) for x, y in points]} for shape, points in outlines
        ],
        "name": places.name,
        "time": places.time,
        "used": used_by(store, record, path, places),
    }


def save_ignored(store: Store, body: bytes, lot: Lot, position: int) -> IgnoredValues:
    """Store the places in the body of a request, and return what the page shows then.

    Raises:
        ValueError: if it is no JSON object, or a field is out of range, by name.
        OutdatedError: if the page did not know the last save of somebody else.
    """
    sent = sent_object(body)
    image, job = lot.images[position], lot.record.job
    regions = tuple(clip_region(region, image.width, image.height) for region in regions_of(sent.get("regions", [])))
    name, size = text_of(sent, "name").strip(), (image.width, image.height)
    with SAVING:
        path, saved = places_of(store, lot.record)
        if text_of(sent, "saved") != path:
            author = saved.name if saved else "somebody"
            raise OutdatedError(
                f"{author} saved other places of {job.category} meanwhile; reload the page and draw again"
            )
        if saved and saved.regions:
            require_same_proportions(saved, *size)
        places = IgnoredPlaces(job.category, *size, regions, name, lot.run.path, image.image_id)
        add_ignored(store, replace(places, time=time_after(saved.time if saved else "", places.time)))
        return ignored_values(store, lot.record, *size)


def require_same_proportions(saved: IgnoredPlaces, width: int, height: int) -> None:
    """Refuse to stretch places over a photograph of other proportions, on which the usual ones would be lost.

    Raises:
        ValueError: naming both sizes.
    """
    if abs(saved.width * height - saved.height * width) >= max(saved.width, saved.height):
        raise ValueError(
            f"places to ignore must be drawn on a photograph with the proportions of {saved.width} × {saved.height} "
            f"pixels, got {width} × {height}; open another photograph"
        )
