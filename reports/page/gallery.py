"""The pictures of a report: the worst images with their heatmaps, what they should look like, and small ones."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from PIL import Image

from musc.decisions.decision_words import Decision
from reports.page.causes import Cause, Causes
from reports.page.crops import close_up, close_up_grid
from reports.page.finished_run import FinishedRun
from reports.page.heatmaps import data_url, draw_boxes, draw_outlines, overlay, within
from reports.page.matches import Match, searched_at
from storage.images.decoded_at_once import IN_FLIGHT

CARDS, CARDS_IF_NONE_LISTED = 40, 20
"""Images shown large: flagged ones before suspect ones, or the most anomalous of all where there are none."""
COMPARED_CARDS = 12
"""Cards that also show the nearest normal-looking matches."""
SHOWN_MATCHES = 3
"""Of the nearest matches; the further ones were only measured."""
SMALL_LISTED, SMALL_ACCEPTED = 160, 12
"""Further flagged and suspect images, and a sample of accepted ones, shown small."""
MAX_THUMBNAILS = 200
"""Images that have a thumbnail in the table, the first ones."""
PICTURE_SIDE, SMALL_SIDE, THUMBNAIL_SIDE = 420, 132, 48
"""Longest sides in pixels."""
MAX_PICTURE_BYTES = 12_000_000
"""Of all pictures in one page, as `data:` URLs; what does not fit is left out and said so."""
PAINTERS = 4
"""Threads that decode and draw."""


@dataclass(frozen=True)
class Crop:
    """A patch and its surroundings."""

    picture: str
    path: str
    distance: float | None = None
    """To the suspicious patch; None for that patch itself."""


@dataclass
class Card:
    """One image shown large."""

    position: int
    photograph: str | None = None
    """`data:` URL; None if the file is gone."""
    heatmap: str | None = None
    thumbnail: str | None = None
    box_count: int = 0
    worst: Crop | None = None
    matches: list[Crop] = field(default_factory=list)
    cause: Cause | None = None
    """What is odd about it; None where that is not known."""


@dataclass(frozen=True)
class Small:
    """One image shown small."""

    position: int
    picture: str


@dataclass
class Gallery:
    """All pictures of a page."""

    cards: list[Card]
    further: list[Small]
    """Flagged and suspect ones that are not shown large."""
    accepted: list[Small]
    groups: dict[int, list[Small]]
    thumbnails: dict[int, str]
    """Of the first images of the table, by position; without those whose file is gone."""
    matched_at: str
    """Layer and degree at which matches were sought, or why there are none."""
    left_out_count: int
    """Flagged and suspect images without any picture, because the page would become too large."""

    @property
    def has_matches(self) -> bool:
        """Whether any image stands beside what it should look like."""
        return any(card.matches for card in self.cards)


def gallery_of(finished: FinishedRun, causes: Causes) -> Gallery:
    """Choose and draw the pictures of a run, beside what is known to be odd about its images."""
    listed = finished.most_anomalous(Decision.FLAGGED, Decision.SUSPECT)
    accepted = finished.most_anomalous(Decision.ACCEPTED)
    large = listed[:CARDS] or accepted[:CARDS_IF_NONE_LISTED]
    ids = {position: finished.images[position].image_id for position in large}
    matches = {position: causes.matches.get(ids[position], []) for position in large[:COMPARED_CARDS]}
    groups = group_members(finished)
    further = listed[CARDS : CARDS + SMALL_LISTED]
    sample = spread(accepted[::-1], SMALL_ACCEPTED)
    small_positions = list(dict.fromkeys([*further, *sample, *chain.from_iterable(groups.values())]))
    in_table = [position for position in finished.ranked[:MAX_THUMBNAILS] if position not in large]
    with ThreadPoolExecutor(PAINTERS) as painters:
        cards = list(
            painters.map(
                lambda number: card_of(finished, number, matches.get(number, []), causes.of_image.get(ids[number])),
                large,
            )
        )
        small = drawn_pictures(
            small_positions, painters.map(lambda number: small_of(finished, number), small_positions)
        )
        thumbnails = drawn_pictures(in_table, painters.map(lambda number: listed_of(finished, number), in_table))
    thumbnails |= {card.position: card.thumbnail for card in cards if card.thumbnail}
    cards, thumbnails, small = affordable(cards, thumbnails, small)
    shown_positions = {card.position for card in cards} | small.keys()
    return Gallery(
        cards=cards,
        further=[Small(position, small[position]) for position in further if position in small],
        accepted=[Small(position, small[position]) for position in sample if position in small],
        groups={
            group: [Small(position, small[position]) for position in members if position in small]
            for group, members in groups.items()
        },
        thumbnails=thumbnails,
        matched_at=causes.facts.why_no_matches or searched_at(finished.record),
        left_out_count=sum(position not in shown_positions for position in listed),
    )


def drawn_pictures(positions: Sequence[int], pictures: Iterable[str | None]) -> dict[int, str]:
    """Pictures by position, without those that could not be drawn."""
    pairs = zip(positions, pictures, strict=True)
    return {position: picture for position, picture in pairs if picture is not None}


def affordable(
    cards: Sequence[Card], thumbnails: dict[int, str], small: dict[int, str]
) -> tuple[list[Card], dict[int, str], dict[int, str]]:
    """The pictures that fit `MAX_PICTURE_BYTES`, in order of importance."""
    remaining = MAX_PICTURE_BYTES
    shown: list[Card] = []
    for card in cards:
        crops = [crop for crop in (card.worst, *card.matches) if crop]
        remaining -= len(card.photograph or "") + len(card.heatmap or "") + sum(len(crop.picture) for crop in crops)
        if remaining < 0:
            return shown, {}, {}
        shown.append(card)
    fitting: tuple[dict[int, str], dict[int, str]] = {}, {}
    for pictures, fit in zip((thumbnails, small), fitting, strict=True):
        for position, picture in pictures.items():
            remaining -= len(picture)
            if remaining >= 0:
                fit[position] = picture
    return shown, *fitting


def group_members(finished: FinishedRun, most: int = 12) -> dict[int, list[int]]:
    """Positions of the first members of every systematic group."""
    groups = finished.scores["group"].to_numpy()
    return {int(group): np.flatnonzero(groups == group)[:most].tolist() for group in sorted(set(groups) - {0})}


def spread(positions: Sequence[int], count: int) -> list[int]:
    """`count` of the positions at even steps, the ends included."""
    if len(positions) <= count:
        return list(positions)
    return [positions[index] for index in np.linspace(0, len(positions) - 1, count).round().astype(int)]


def card_of(finished: FinishedRun, position: int, matches: Sequence[Match], cause: Cause | None) -> Card:
    """Draw one image large: as photographed, with its heatmap, its worst place, and what that should look like."""
    with IN_FLIGHT.holding(finished.images[position]):
        card = drawn_card(finished, position)
    card.cause, grid = cause, close_up_grid(finished.record, finished.grid)
    for match in matches[:SHOWN_MATCHES] if card.worst else ():
        image = finished.images[match.image]
        with IN_FLIGHT.holding(image):
            photograph = finished.photograph(match.image)
            if photograph is not None:
                card.matches.append(Crop(data_url(close_up(photograph, match.patch, grid)), image.path, match.distance))
    return card


def drawn_card(finished: FinishedRun, position: int) -> Card:
    """One image shown large, without what it should look like."""
    photograph = finished.photograph(position)
    if photograph is None:
        return Card(position)
    picture = within(photograph, PICTURE_SIDE)
    regions = finished.boxes(position, picture.size)
    heat = overlay(picture, finished.anomaly_map(position, picture.size[::-1]), *finished.limits)
    heat = draw_boxes(draw_outlines(heat, finished.mask(position, picture.size), width=1), regions)
    grid = close_up_grid(finished.record, finished.grid)
    worst = data_url(close_up(photograph, finished.worst_patch(position), grid))
    return Card(
        position,
        data_url(picture),
        data_url(heat),
        thumbnail_of(photograph),
        len(regions),
        Crop(worst, finished.images[position].path),
    )


def small_of(finished: FinishedRun, position: int) -> str | None:
    """A thumbnail with its heatmap; None if the file is gone."""
    with IN_FLIGHT.holding(finished.images[position]):
        photograph = finished.photograph(position)
        picture = None if photograph is None else within(photograph, SMALL_SIDE)
        del photograph
    if picture is None:
        return None
    return data_url(overlay(picture, finished.anomaly_map(position, picture.size[::-1]), *finished.limits), quality=72)


def listed_of(finished: FinishedRun, position: int) -> str | None:
    """The thumbnail of a row of the table; None if the file is gone."""
    with IN_FLIGHT.holding(finished.images[position]):
        return thumbnail_of(finished.photograph(position))


def thumbnail_of(photograph: Image.Image | None) -> str | None:
    """A photograph as small as a row of the table; None if there is none."""
    return None if photograph is None else data_url(within(photograph, THUMBNAIL_SIDE), quality=60)
