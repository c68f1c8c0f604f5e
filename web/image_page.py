"""An image's page: the image among those of its view, its map, its nearest matches and its verdicts."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from musc.decisions.decision_words import Decision
from musc.decisions.defect_boxes import outline_levels
from musc.layers import Grid
from reports.languages.current import gettext as _
from reports.page.causes import Cause, CauseFacts
from reports.page.crops import close_up_grid, patch_centre
from reports.page.find_causes import Place, cause_of, or_none
from reports.page.heatmaps import INFERNO, MAX_OPACITY, MIN_OPACITY
from reports.page.matches import NONE_ACCEPTED, Match, search_for, why_no_matches
from reports.page.place_differences import GOOD_PLACES, SAME_PLACES, clear_differences, place_pixels
from storage.results.verdicts import COLUMNS, current_verdicts
from web.judging.steps import steps_of
from web.lot import Lot
from web.lot_page import with_verdicts
from web.pictures import DECODERS
from web.pictures import photograph as read_photograph
from web.view_query import Query

MATCHES = 4


def image_values(lot: Lot, position: int, verdicts: pd.DataFrame, query: Query) -> dict[str, object]:
    """All that the template shows of one image, besides the run itself.

    Args:
        verdicts: every verdict about the lot.
    """
    table = with_verdicts(lot, verdicts)
    steps, image_id = steps_of(table, query), str(table.loc[position, "image_id"])
    place = steps.place(image_id)
    boxes = lot.boxes[lot.boxes["image_id"] == image_id] if len(lot.boxes) else lot.boxes
    return {
        "row": table.loc[position].to_dict(),
        "steps": steps,
        "place": None if place is None else place + 1,
        "previous": steps.previous(image_id),
        "next": steps.next(image_id),
        "boxes": boxes.to_dict("records"),
        "history": history(verdicts, image_id),
    }


def history(verdicts: pd.DataFrame, image_id: str) -> dict[str, object]:
    """Every verdict about an image, the earliest first, and the one that counts, as plain JSON values."""
    own = verdicts[verdicts["image_id"] == image_id]
    current = current_verdicts(own)
    told = (
        "verdict_id",
        "verdict",
        "kind",
        "severity",
        "name",
        "note",
        "time",
        "regions",
        "at_once",
        "looked",
        "undone_by",
    )
    names = [name for name in COLUMNS if name in told]
    return {
        "all": own[names].to_dict("records"),
        "current": current.iloc[-1][names].to_dict() if len(current) else None,
    }


def map_values(lot: Lot, position: int) -> dict[str, object]:
    """What the browser draws a heatmap from: patch scores in reading order, the colour scale, and what is outlined.

    `outline` is how far patches lie above the levels from which on they are defective; None for accepted images.

    Outside of a region of interest scores are 0.
    """
    scores = lot.patch_scores(position)
    low, high = lot.limits
    return {
        "rows": scores.shape[0],
        "columns": scores.shape[1],
        "scores": [round(float(score), 5) for score in np.nan_to_num(scores).ravel()],
        "low": low,
        "high": high,
        "outline": outline_margins(lot, position),
        "colours": INFERNO,
        "opacity": [MIN_OPACITY, MAX_OPACITY],
    }


def outline_margins(lot: Lot, position: int) -> list[float] | None:
    """How far patches lie above the levels of `defect_boxes.outline_levels`; None where nothing is listed."""
    threshold = lot.record.decision.pixel_threshold
    if threshold is None or lot.table.iloc[position]["decision"] == Decision.ACCEPTED:
        return None
    scores = np.nan_to_num(np.stack([lot.patch_scores(position), lot.fine_scores(position)]))
    levels = np.reshape(outline_levels(scores[0], scores[1], threshold), (2, 1, 1))
    return [round(float(margin), 5) for margin in (scores - levels).min(axis=0).ravel()]


def nearest_places(lot: Lot, position: int, verdicts: pd.DataFrame) -> dict[str, object]:
    """The worst place of an image and the places of normal-looking images most like it.

    Args:
        verdicts: every verdict about the lot; what is judged defective shows nothing normal.

    Returns:
        `patch` and `matches`, each with `image_id`, `path`, `patch` and `distance`; no matches, and the `reason` why,
        where none can be sought; in `words`, sentences, what is odd about the image.
    """
    image, patch = lot.images[position], lot.worst_patch(position)
    near, same, reason = list[Match](), list[Place](), why_no_matches(lot.run.store, lot.record)
    if not reason:
        search = search_for(lot.run, lot.record, with_verdicts(lot, verdicts), [position])
        near, same = search.nearest([(position, patch)], GOOD_PLACES)[0], search.same_place(patch, SAME_PLACES)
    shown = [
        {
            "image_id": lot.images[match.image].image_id,
            "path": lot.images[match.image].path,
            "patch": match.patch,
            "distance": round(match.distance, 4),
        }
        for match in near[:MATCHES]
    ]
    causes = lot.causes
    cause = causes.of_image.get(image.image_id) or cause_now(lot, (position, patch), near, same, causes.facts)
    return {
        "patch": patch,
        "matches": shown,
        "reason": "" if shown else _("No matches: %(reason)s.", reason=_(reason or NONE_ACCEPTED)),
        "words": [cause.where, *cause.measured],
    }


def cause_now(lot: Lot, worst: Place, near: Sequence[Match], same: Sequence[Place], about: CauseFacts) -> Cause:
    """What is odd about an image of which the run does not say it, as the report would.

    Args:
        worst: its worst place.
        near: the nearest good places.
        same: good places at the same position.
    """
    grid, measured = close_up_grid(lot.record, lot.patch_scores(worst[0]).shape), None
    pixels = place_of(lot, *worst, grid)
    if pixels is not None:
        alike = ((match.image, match.patch) for match in near)
        nearest, own = ([place_of(lot, *place, grid) for place in places] for places in (alike, same))
        measured = or_none(partial(clear_differences, pixels, there(nearest), there(own)))
    place = patch_centre(worst[1], grid)
    return cause_of(place, lot.images[worst[0]], lot.boxes, about.part, measured, about.pixel_size)


def there(places: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """The places whose photographs are there."""
    return [pixels for pixels in places if pixels is not None]


def place_of(lot: Lot, position: int, patch: int, grid: Grid) -> np.ndarray | None:
    """Pixels of a place, uint8 (height, width, 3); None where the photograph is gone."""
    content = lot.content(position)
    with DECODERS:
        photograph = read_photograph(content)
        return None if photograph is None else or_none(partial(place_pixels, photograph, patch, grid))
