"""Everything a report shows of one photograph, which is decoded once for all of it."""

from dataclasses import dataclass, field

from PIL import Image

from reports.page.crops import close_up, close_up_grid
from reports.page.finished_run import FinishedRun
from reports.page.heatmaps import data_url, draw_boxes, draw_outlines, overlay, within
from storage.images.decoded_at_once import IN_FLIGHT

PICTURE_SIDE, SMALL_SIDE, THUMBNAIL_SIDE = 420, 132, 48
"""Longest sides in pixels."""


@dataclass
class Wanted:
    """What is to be drawn of a photograph beside its thumbnail."""

    large: bool = False
    small: bool = False
    patches: set[int] = field(default_factory=set)
    """Close-ups of these, which other images are compared with."""


@dataclass(frozen=True)
class Large:
    """One image shown large; pictures are `data:` URLs."""

    photograph: str
    heatmap: str
    """With outlines and boxes."""
    box_count: int
    worst: str
    """A close-up of the worst place."""


@dataclass(frozen=True)
class Drawn:
    """Pictures of one photograph as `data:` URLs; nothing of one that is gone."""

    thumbnail: str | None = None
    large: Large | None = None
    small: str | None = None
    """With its heatmap."""
    patches: dict[int, str] = field(default_factory=dict)


def draw(finished: FinishedRun, position: int, wanted: Wanted) -> Drawn:
    """Decode one photograph of a run, and draw what is wanted of it."""
    with IN_FLIGHT.holding(finished.images[position]):
        photograph = finished.photograph(position)
        if photograph is None:
            return Drawn()
        grid = close_up_grid(finished.record, finished.grid)
        return Drawn(
            data_url(within(photograph, THUMBNAIL_SIDE), quality=60),
            large_of(finished, position, photograph) if wanted.large else None,
            small_of(finished, position, photograph) if wanted.small else None,
            {patch: data_url(close_up(photograph, patch, grid)) for patch in sorted(wanted.patches)},
        )


def large_of(finished: FinishedRun, position: int, photograph: Image.Image) -> Large:
    """An image as photographed, with its heatmap, and its worst place."""
    picture = within(photograph, PICTURE_SIDE)
    regions = finished.boxes(position, picture.size)
    heat = overlay(picture, finished.anomaly_map(position, picture.size[::-1]), *finished.limits)
    heat = draw_boxes(draw_outlines(heat, finished.mask(position, picture.size), width=1), regions)
    worst = close_up(photograph, finished.worst_patch(position), close_up_grid(finished.record, finished.grid))
    return Large(data_url(picture), data_url(heat), len(regions), data_url(worst))


def small_of(finished: FinishedRun, position: int, photograph: Image.Image) -> str:
    """A small picture with its heatmap."""
    picture = within(photograph, SMALL_SIDE)
    return data_url(overlay(picture, finished.anomaly_map(position, picture.size[::-1]), *finished.limits), quality=72)
