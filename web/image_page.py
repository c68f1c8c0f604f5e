"""An image's page: the image among those of its view, its map, its nearest matches and its verdicts."""

import numpy as np
import pandas as pd

from musc.layers import Layer, middle_degree, middle_layer, patch_on
from reports.page.gallery import normal_looking
from reports.page.heatmaps import INFERNO, MAX_OPACITY, MIN_OPACITY
from reports.page.matches import comparable, nearest_matches, patches_outside
from reports.run_record import RunRecord
from storage.results.features import LotFeatures
from storage.results.verdicts import COLUMNS, current_verdicts
from web.lot import Lot
from web.lot_page import with_verdicts
from web.query import Query, chosen

MATCHES = 4


def image_values(lot: Lot, position: int, verdicts: pd.DataFrame, query: Query) -> dict[str, object]:
    """All that the template shows of one image, besides the run itself.

    Args:
        lot: opened.
        position: of the image.
        verdicts: every verdict about the lot.
        query: the view it is looked at in.
    """
    table = with_verdicts(lot, verdicts)
    order = chosen(table, query)["image_id"].tolist()
    own = str(table.loc[position, "image_id"])
    place = order.index(own) if own in order else None
    following = order if place is None else order[place + 1 :]
    boxes = lot.boxes[lot.boxes["image_id"] == own] if len(lot.boxes) else lot.boxes
    return {
        "row": table.loc[position].to_dict(),
        "place": None if place is None else place + 1,
        "view_count": len(order),
        "previous": order[place - 1] if place else None,
        "next": following[0] if following else None,
        "boxes": boxes.to_dict("records"),
        "history": history(verdicts, own),
    }


def history(verdicts: pd.DataFrame, image_id: str) -> dict[str, object]:
    """Every verdict about an image, the earliest first, and the one that counts, as plain JSON values."""
    own = verdicts[verdicts["image_id"] == image_id]
    current = current_verdicts(own)
    names = [name for name in COLUMNS if name in ("verdict_id", "verdict", "name", "note", "time", "regions")]
    return {
        "all": own[names].to_dict("records"),
        "current": current.iloc[-1][names].to_dict() if len(current) else None,
    }


def map_values(lot: Lot, position: int) -> dict[str, object]:
    """What the browser draws a heatmap from: patch scores in reading order, the colour scale, the pixel threshold.

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
        "threshold": lot.record.decision.pixel_threshold,
        "colours": INFERNO,
        "opacity": [MIN_OPACITY, MAX_OPACITY],
    }


def matches_of(lot: Lot, verdicts: pd.DataFrame, position: int) -> dict[str, object]:
    """The worst place of an image and the places of normal-looking images most like it.

    Returns:
        `patch` and `matches`, each with `image_id`, `path`, `patch` and `distance`; no matches, and the reason why,
        where the stored features are gone.
    """
    layer = compared_layer(lot.record)
    scores = lot.patch_scores(position)
    rows, columns = scores.shape
    patch = patch_on(int(np.nanargmax(scores)), (rows, columns), layer.grid)
    store, blocks = lot.run.store, tuple(lot.record.keys.features)
    if not comparable(store, lot.record):
        return {"patch": patch, "matches": [], "reason": "The stored features or the region of this run are gone."}
    if lot.record.job.settings.tile is not None:
        return {"patch": patch, "matches": [], "reason": "Matches are not sought where images were scored as tiles."}
    normal = normal_looking(with_verdicts(lot, verdicts), [position])
    found = nearest_matches(
        LotFeatures(store, blocks),
        [(position, patch)],
        [one in normal for one in range(len(lot.table))],
        layer=layer.number,
        degree=middle_degree(lot.record.job.settings.degrees),
        grid=layer.grid,
        count=MATCHES,
        outside=patches_outside(lot.run, lot.record, layer.grid),
    )[0]
    shown = [
        {
            "image_id": lot.images[match.image].image_id,
            "path": lot.images[match.image].path,
            "patch": match.patch,
            "distance": round(match.distance, 4),
        }
        for match in found
    ]
    return {"patch": patch, "matches": shown, "reason": "" if shown else "No other image of this lot was accepted."}


def compared_layer(record: RunRecord) -> Layer:
    """The layer in which parts of images are compared for people to see, as in the report."""
    return middle_layer(record.job.backbone.layers)
