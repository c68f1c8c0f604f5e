"""What an image looks like among the judged defects of its product, for whoever judges it."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import groupby
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from musc.layers import middle_degree, patch_on
from reports.languages.current import gettext as _
from reports.page.crops import compared_layer
from reports.page.matches import search_for, why_no_matches
from reports.verdicts.similar_defects import alike_defects, drawn_place, place_features
from storage.artefacts import is_complete
from storage.results.features import LotFeatures
from web.lot import Lot, open_lot
from web.lot_page import with_verdicts
from web.nights import StoredRun
from web.store_cache import Library

MAX_DEFECTS = 100
"""The latest ones are compared: each is a chunk of features to read once."""


class JudgedPlace(NamedTuple):
    """Where a judged defect is, and what it looks like."""

    patch: int
    features: np.ndarray
    """(C,), a unit vector."""


class SimilarDefects:
    """Compares images with the judged defects of their product; safe for several threads."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._known: dict[tuple[object, ...], JudgedPlace] = {}
        self._lock = Lock()

    def about(self, run: StoredRun, lot: Lot, position: int) -> dict[str, object]:
        """The judged defects that an image's worst place, or the place drawn in it, looks like.

        Returns:
            As plain JSON values `said`, in words, and `alike`, each with `run`, `image_id`, `path`, `kind`, `severity`,
            `patch` and `distance`; both empty where nothing can be compared, or nothing is alike.
        """
        nothing: dict[str, object] = {"said": "", "alike": []}
        record, image = lot.record, lot.images[position]
        if why_no_matches(lot.run.store, record):
            return nothing
        known = self.places_of(run, self.judged_defects(run, image.sha256))
        if not known:
            return nothing
        defects = self.library.defects().get(run.path, pd.DataFrame({"image_id": [], "regions": []}))
        drawn = defects.loc[defects["image_id"] == image.image_id, "regions"]
        patch = place_in(lot, position, drawn.iloc[0] if len(drawn) else ())
        layer, degree = compared_layer(record), middle_degree(record.job.settings.degrees)
        place = place_features(LotFeatures(lot.run.store, record.keys.features), layer, degree, position, patch)
        verdicts = with_verdicts(lot, self.library.verdicts_about(run))
        good = search_for(lot.run, record, verdicts, [position]).nearest([(position, patch)], 1)[0]
        compared = np.stack([judged.features for _, judged in known])
        near = alike_defects(place, compared, good[0].distance if good else math.inf)
        alike = [
            {**known[one.place][0], "patch": known[one.place][1].patch, "distance": round(one.distance, 4)}
            for one in near
        ]
        return {"said": in_words([str(one["kind"]) for one in alike]), "alike": alike}

    def judged_defects(self, run: StoredRun, content: str) -> pd.DataFrame:
        """The latest defects of a product that have a kind, in runs whose features can be compared.

        Args:
            content: SHA-256 of the image that is compared, whose own verdicts tell nothing.
        """
        job, runs = run.record.job, self.library.runs().values()
        alike = {
            one.path
            for one in runs
            if (one.record.job.category, one.record.job.dataset) == (job.category, job.dataset)
            and one.record.job.settings.tile is None
            and one.record.features_of(job.backbone)
        }
        tables = [table.assign(run=path) for path, table in self.library.defects().items() if path in alike]
        if not tables:
            return pd.DataFrame()
        every = pd.concat(tables).sort_values("time", kind="stable").drop_duplicates("sha256", keep="last")
        return every[(every["kind"] != "") & (every["sha256"] != content)].tail(MAX_DEFECTS).sort_values("run")

    def places_of(self, run: StoredRun, judged: pd.DataFrame) -> list[tuple[dict[str, object], JudgedPlace]]:
        """What pages show of each judged defect, and its place; those whose features are gone are left out."""
        layer, degree = compared_layer(run.record), middle_degree(run.record.job.settings.degrees)
        found = []
        with self._lock:
            for path, of_run in groupby(judged.to_dict("records"), key=lambda row: str(row["run"])):
                rows = list(of_run)
                keys = [(path, row["image_id"], row["time"], layer.number, degree) for row in rows]
                if any(key not in self._known for key in keys):
                    self._read(run, path, rows, keys)
                found += [
                    (shown(row), self._known[key]) for row, key in zip(rows, keys, strict=True) if key in self._known
                ]
        return found

    def _read(
        self, run: StoredRun, path: str, rows: Sequence[Mapping[Hashable, Any]], keys: Sequence[tuple[object, ...]]
    ) -> None:
        store, other = self.library.store, self.library.runs()[path.rpartition("/")[2]]
        blocks = other.record.features_of(run.record.job.backbone)
        if not all(is_complete(store, block) for block in blocks):
            return
        layer, degree = compared_layer(run.record), middle_degree(run.record.job.settings.degrees)
        lot, features = open_lot(store, path, other.record, ""), LotFeatures(store, blocks)
        for row, key in zip(rows, keys, strict=True):
            position = lot.positions.get(str(row["image_id"]))
            if position is not None:
                patch = place_in(lot, position, row["regions"])
                self._known[key] = JudgedPlace(patch, place_features(features, layer, degree, position, patch))


def shown(row: Mapping[Hashable, Any]) -> dict[str, object]:
    """What pages show of a judged defect, without its place."""
    told: dict[str, object] = {name: str(row[name]) for name in ("image_id", "path", "kind", "severity")}
    return {**told, "run": str(row["run"]).rpartition("/")[2]}


def place_in(lot: Lot, position: int, regions: Sequence[Mapping[str, Any]]) -> int:
    """The patch of the compared layer at an image's worst place, or at the worst one of those drawn in it."""
    scores, image = lot.patch_scores(position), lot.images[position]
    rows, columns = scores.shape
    drawn = drawn_place(scores, regions, (image.width, image.height))
    if drawn is not None:
        return patch_on(drawn, (rows, columns), compared_layer(lot.record).grid)
    return lot.worst_patch(position)


def in_words(kinds: list[str]) -> str:
    """Which kinds judged defects have, as a suggestion; empty for none.

    >>> in_words(["scratch", "dent", "scratch"])
    'Looks like: scratch (2), dent (1). A suggestion; you decide.'
    """
    named = ", ".join(f"{kind} ({count})" for kind, count in Counter(kinds).most_common())
    return _("Looks like: %(kinds)s. A suggestion; you decide.", kinds=named) if named else ""
