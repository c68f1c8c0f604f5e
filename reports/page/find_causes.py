"""Finding out what is odd about the images of a finished run: their worst places beside the nearest good ones."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from musc.decisions.decision_words import Decision
from reports.page.causes import Cause, CauseFacts, Causes
from reports.page.crops import close_up_grid, patch_centre
from reports.page.finished_run import FinishedRun
from reports.page.matches import NONE_ACCEPTED, Match, Search, search_for, why_no_matches
from reports.page.place_differences import GOOD_PLACES, SAME_PLACES, Difference, clear_differences, place_pixels
from reports.page.place_on_part import Part, part_of, small_picture, third
from storage.images.decoded_at_once import IN_FLIGHT
from storage.images.lots import ListedImage

if TYPE_CHECKING:
    import pandas as pd


T = TypeVar("T")
Place = tuple[int, int]
"""Position of an image, and a patch of it."""

MOST_COMPARED, COMPARED_IF_NONE_LISTED = 40, 12
"""Images that are compared with good places: flagged before suspect ones, or the most anomalous of all."""
PART_PHOTOGRAPHS = 16
"""Photographs of good parts in which the part is sought."""
DECODERS = MEASURERS = 4
"""Threads that decode photographs, and that measure places."""


def causes_of(finished: FinishedRun, pixel_size: float | None = None) -> Causes:
    """What is odd about each flagged and suspect image, and about the most anomalous ones where there are none.

    Every photograph is decoded once, whatever is measured in it.

    Args:
        pixel_size: millimetres a pixel; None where nobody said.
    """
    listed = finished.most_anomalous(Decision.FLAGGED, Decision.SUSPECT)
    accepted = finished.most_anomalous(Decision.ACCEPTED)
    compared = listed[:MOST_COMPARED] or accepted[:COMPARED_IF_NONE_LISTED]
    places = measured_places(finished, compared)
    boxes = finished.run.boxes()
    part = or_none(partial(part_of_run, finished, accepted))
    grid = close_up_grid(finished.record, finished.grid)
    ids = {position: finished.images[position].image_id for position in listed or compared}
    causes = {
        image_id: cause_of(
            patch_centre(finished.worst_patch(position), grid),
            finished.images[position],
            boxes,
            part,
            places.differences.get(position),
            pixel_size,
        )
        for position, image_id in ids.items()
    }
    near = {ids[position]: found for position, found in places.matches.items()}
    return Causes(causes, near, CauseFacts(pixel_size=pixel_size, part=part, why_no_matches=places.why_no_matches))


@dataclass(frozen=True)
class MeasuredPlaces:
    """The worst places of images, by position, beside the nearest good ones."""

    matches: dict[int, list[Match]]
    differences: dict[int, list[Difference] | None]
    """Strongest first; None where they could not be measured, without those whose photograph is gone."""
    why_no_matches: str
    """Empty where matches were sought."""


def measured_places(finished: FinishedRun, positions: Sequence[int]) -> MeasuredPlaces:
    """How the worst place of each image differs from accepted images: from the same place, or what is most like it."""
    search, reason = search_of(finished, positions)
    if search is None:
        return MeasuredPlaces({}, {}, reason)
    worst = {position: (position, finished.worst_patch(position)) for position in positions}
    matches = dict(zip(positions, search.nearest([*worst.values()], GOOD_PLACES), strict=True))
    near = {position: [(match.image, match.patch) for match in found] for position, found in matches.items()}
    same = {position: search.same_place(patch, SAME_PLACES) for position, (_, patch) in worst.items()}
    good = (place for places in (near, same) for of_one in places.values() for place in of_one)
    pixels = places_of(finished, [*worst.values(), *good])
    return MeasuredPlaces(matches, differences_of(pixels, worst, near, same), "")


def differences_of(
    pixels: Mapping[Place, np.ndarray],
    worst: Mapping[int, Place],
    near: Mapping[int, Sequence[Place]],
    same: Mapping[int, Sequence[Place]],
) -> dict[int, list[Difference] | None]:
    """How the worst place of each image differs from its good places, by position.

    Args:
        pixels: of all places whose photograph is there, uint8 (height, width, 3) each.
        worst: by the image's position.
        near: the nearest good places of each, by features.
        same: good places at the same position.
    """

    def measured(position: int) -> list[Difference] | None:
        nearest, own = ([pixels[place] for place in of[position] if place in pixels] for of in (near, same))
        return or_none(partial(clear_differences, pixels[worst[position]], nearest, own))

    known = [position for position, place in worst.items() if place in pixels]
    with ThreadPoolExecutor(MEASURERS) as measurers:
        return dict(zip(known, measurers.map(measured, known), strict=True))


def cause_of(
    place: tuple[float, float],
    image: ListedImage,
    boxes: "pd.DataFrame",
    part: Part | None,
    named: Sequence[Difference] | None,
    pixel_size: float | None,
) -> Cause:
    """What is odd about an image, of what is known of it.

    Args:
        place: the middle of its worst place, fractions of width and height.
        boxes: of all images, as `boxes.parquet` has them.
        part: where parts lie.
        named: how its worst place differs from good ones.
    """
    down, across = third(*place, part)
    x, y = int(place[0] * image.width), int(place[1] * image.height)
    size = outlined_size(boxes[boxes["image_id"] == image.image_id], x, y) if len(boxes) else None
    return Cause(f"{down} {across}", part is not None, size, pixel_size, None if named is None else tuple(named))


def outlined_size(boxes: "pd.DataFrame", x: int, y: int) -> tuple[int, int] | None:
    """Width and height of the box around the worst place: of those that hold it, or else of all, the highest peak."""
    if not len(boxes):
        return None
    right, bottom = boxes["x"] + boxes["width"], boxes["y"] + boxes["height"]
    holds = (boxes["x"] <= x) & (x < right) & (boxes["y"] <= y) & (y < bottom)
    box = boxes.assign(holds=holds).sort_values(["holds", "peak_score"], ascending=False, kind="stable").iloc[0]
    return int(box["width"]), int(box["height"])


def search_of(finished: FinishedRun, positions: Sequence[int]) -> tuple[Search | None, str]:
    """The search among accepted images for what images should look like; or none, and why."""
    if reason := why_no_matches(finished.run.store, finished.record):
        return None, reason
    search = search_for(finished.run, finished.record, finished.scores, positions)
    return (search, "") if any(search.answering) else (None, NONE_ACCEPTED)


def matches_for(finished: FinishedRun, positions: Sequence[int]) -> tuple[dict[int, list[Match]], str]:
    """For each image the places of accepted images most like its worst one, nearest first; or none, and why."""
    search, reason = search_of(finished, positions)
    if search is None:
        return {}, reason
    queries = [(position, finished.worst_patch(position)) for position in positions]
    return dict(zip(positions, search.nearest(queries, GOOD_PLACES), strict=True)), ""


def places_of(finished: FinishedRun, places: Iterable[Place]) -> dict[Place, np.ndarray]:
    """Pixels of places, uint8 (height, width, 3) each; without those whose photograph is gone."""
    patches: dict[int, set[int]] = {}
    for position, patch in places:
        patches.setdefault(position, set()).add(patch)
    with ThreadPoolExecutor(DECODERS) as decoders:
        found = decoders.map(partial(places_in, finished), patches.items())
        return {place: pixels for each in found for place, pixels in each.items()}


def places_in(finished: FinishedRun, wanted: tuple[int, Iterable[int]]) -> dict[Place, np.ndarray]:
    """The same of one photograph: its position and patches."""
    position, patches = wanted
    grid = close_up_grid(finished.record, finished.grid)
    with IN_FLIGHT.holding(finished.images[position]):
        photograph = finished.photograph(position)
        if photograph is None:
            return {}
        cut = {(position, patch): or_none(partial(place_pixels, photograph, patch, grid)) for patch in patches}
    return {place: pixels for place, pixels in cut.items() if pixels is not None}


def part_of_run(finished: FinishedRun, accepted: Sequence[int]) -> Part | None:
    """Where the parts lie in the photographs of a run, which must have the same proportions.

    Args:
        accepted: positions of accepted images.
    """
    even = np.linspace(0, len(accepted) - 1, min(len(accepted), PART_PHOTOGRAPHS)).round().astype(int)
    chosen = [accepted[index] for index in even]
    if len({finished.images[position].width / finished.images[position].height for position in chosen}) != 1:
        return None
    with ThreadPoolExecutor(DECODERS) as decoders:
        pictures = decoders.map(partial(small_photograph, finished), chosen)
        return part_of([picture for picture in pictures if picture is not None])


def small_photograph(finished: FinishedRun, position: int) -> np.ndarray | None:
    """A photograph as `small_picture` makes it; None if it is gone."""
    with IN_FLIGHT.holding(finished.images[position]):
        photograph = finished.photograph(position)
        return None if photograph is None else small_picture(photograph)


def or_none(measure: Callable[[], T]) -> T | None:
    """What a measurement gives; None where it fails, which costs its words and nothing else."""
    try:
        return measure()
    except Exception as error:
        logging.getLogger(__name__).warning("The worst place of an image is not described: %s", error)
        return None
