"""Places to ignore in all photographs of a product: as a browser sends them, as a page shows them, who uses them."""

from typing import TypedDict

from storage.results.ignored import IgnoredPlaces, add_ignored, latest_ignored, read_ignored
from storage.results.verdicts import regions_of
from storage.store import Store
from tasks.planning.run_record import RunRecord
from web.lot import Lot
from web.verdict_form import clip_region, sent_object, text_of


class OutdatedError(ValueError):
    """Somebody else saved places since the page was loaded."""


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
    """The saved places of a run's product that count, and where they lie in the store."""
    path = latest_ignored(store, record.job.category)
    return path, read_ignored(store, path) if path else None


def ignored_values(store: Store, record: RunRecord, width: int, height: int) -> IgnoredValues:
    """The places to ignore as a page shows them over a photograph.

    Args:
        store: where.
        record: of the run that is shown.
        width: of the photograph that is shown, in pixels.
        height: of it.
    """
    path, places = places_of(store, record)
    if places is None:
        return {"saved": "", "regions": [], "name": "", "time": "", "used": False}
    shapes = [region.shape for region in places.regions]
    drawn = zip(shapes, places.polygons(width, height), strict=True)
    return {
        "saved": path,
        "regions": [{"shape": shape, "points": points} for shape, points in drawn],
        "name": places.name,
        "time": places.time,
        "used": bool(places.regions) and record.job.region is not None and record.job.region.ignored == path,
    }


def save_ignored(store: Store, body: bytes, lot: Lot, position: int) -> IgnoredValues:
    """Store the places in the body of a request, and return what the page shows then.

    Raises:
        ValueError: if it is no JSON object, or a field is out of range, by name.
        OutdatedError: if the page did not know the last save of somebody else.
    """
    sent = sent_object(body)
    image, job = lot.images[position], lot.record.job
    path, known = places_of(store, lot.record)
    if text_of(sent, "saved") != path:
        by = known.name if known else "somebody"
        raise OutdatedError(f"{by} saved other places of {job.category} meanwhile; reload the page and draw again")
    regions = tuple(clip_region(region, image.width, image.height) for region in regions_of(sent.get("regions", [])))
    name = text_of(sent, "name").strip()
    size = image.width, image.height
    add_ignored(store, IgnoredPlaces(job.category, *size, regions, name, lot.run.path, image.image_id))
    return ignored_values(store, lot.record, *size)
