"""The pictures of a report: the worst images with their heatmaps, what they should look like, and small ones."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np

from musc.decisions.decision_words import Decision
from reports.page.causes import Cause, Causes
from reports.page.finished_run import FinishedRun
from reports.page.matches import Match, searched_at
from reports.page.photograph_pictures import Drawn, Wanted, draw

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


@dataclass(frozen=True)
class Card:
    """One image shown large."""

    position: int
    photograph: str | None = None
    """`data:` URL; None if the file is gone."""
    heatmap: str | None = None
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
    groups = group_members(finished)
    further = listed[CARDS : CARDS + SMALL_LISTED]
    sample = spread(accepted[::-1], SMALL_ACCEPTED)
    small_positions = list(dict.fromkeys([*further, *sample, *chain.from_iterable(groups.values())]))
    ids = {position: finished.images[position].image_id for position in large}
    matches = {position: causes.matches.get(ids[position], [])[:SHOWN_MATCHES] for position in large[:COMPARED_CARDS]}
    wanted = {position: Wanted(large=True) for position in large}
    for position in small_positions:
        wanted.setdefault(position, Wanted()).small = True
    for match in chain.from_iterable(matches.values()):
        wanted.setdefault(match.image, Wanted()).patches.add(match.patch)
    in_table = finished.ranked[:MAX_THUMBNAILS]
    for position in in_table:
        wanted.setdefault(position, Wanted())
    with ThreadPoolExecutor(PAINTERS) as painters:
        drawn = dict(zip(wanted, painters.map(partial(draw, finished), wanted, wanted.values()), strict=True))
    cards = [
        card_of(finished, drawn, position, matches.get(position, []), causes.of_image.get(ids[position]))
        for position in large
    ]
    small = {position: picture for position in small_positions if (picture := drawn[position].small)}
    thumbnails = {position: picture for position in (*in_table, *large) if (picture := drawn[position].thumbnail)}
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


def card_of(
    finished: FinishedRun, drawn: Mapping[int, Drawn], position: int, matches: Sequence[Match], cause: Cause | None
) -> Card:
    """One image large beside what its worst place should look like; without both if its photograph is gone."""
    large = drawn[position].large
    if large is None:
        return Card(position, cause=cause)
    crops = [
        Crop(picture, finished.images[match.image].path, match.distance)
        for match in matches
        if (picture := drawn[match.image].patches.get(match.patch))
    ]
    worst = Crop(large.worst, finished.images[position].path)
    return Card(position, large.photograph, large.heatmap, large.box_count, worst, crops, cause)
